"""First-party evaluators."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from logbench import EvaluatorComponent, hookimpl


def _classification() -> Any:
    from .classification import Classification

    return Classification()


def _first_alarm() -> Any:
    from .first_alarm import FirstAlarm

    return FirstAlarm()


@hookimpl
def logbench_evaluators() -> Iterable[EvaluatorComponent[Any]]:
    """Offer `classification`, the default, and what a person on call asks."""
    from . import budget, calibration, costs, incidents

    yield EvaluatorComponent(
        "classification",
        _classification,
        summary="precision, recall, F1, MCC, AUROC, AUPRC and prevalence of units",
        default=True,
    )
    yield EvaluatorComponent(
        "budget",
        budget.Budget,
        budget.Options,
        summary="precision and recall of the k highest scores, and at so many alarms a day",
    )
    yield EvaluatorComponent(
        "incidents",
        incidents.Incidents,
        incidents.Options,
        summary="incidents found and false ones: units that follow each other; precision and recall of ranges",
    )
    yield EvaluatorComponent(
        "costs",
        costs.Costs,
        costs.Options,
        summary="price of false alarms and misses, beside no model and the best threshold",
    )
    yield EvaluatorComponent(
        "calibration",
        calibration.Calibration,
        calibration.Options,
        summary="Brier score and calibration error of scores that are probabilities",
    )
    yield EvaluatorComponent(
        "first-alarm",
        _first_alarm,
        summary="events and seconds until an anomaly alarms within its unit, and before its end",
    )
