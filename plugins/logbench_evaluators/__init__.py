"""First-party evaluators."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from logbench import EvaluatorComponent, hookimpl

from .options import BudgetOptions, CalibrationOptions, CostsOptions, IncidentsOptions


def _classification() -> Any:
    from .classification import Classification

    return Classification()


def _first_alarm() -> Any:
    from .first_alarm import FirstAlarm

    return FirstAlarm()


def _budget(options: BudgetOptions) -> Any:
    from .budget import Budget

    return Budget(options)


def _incidents(options: IncidentsOptions) -> Any:
    from .incidents import Incidents

    return Incidents(options)


def _costs(options: CostsOptions) -> Any:
    from .costs import Costs

    return Costs(options)


def _calibration(options: CalibrationOptions) -> Any:
    from .calibration import Calibration

    return Calibration(options)


def _types() -> Any:
    from .recall_by import Types

    return Types()


def _template_sets() -> Any:
    from .recall_by import TemplateSets

    return TemplateSets()


@hookimpl
def logbench_evaluators() -> Iterable[EvaluatorComponent[Any]]:
    """Offer `classification`, the default, and what a person on call asks."""
    yield EvaluatorComponent(
        "classification",
        _classification,
        summary="precision, recall, F1, MCC, AUROC, AUPRC and prevalence of units",
        default=True,
    )
    yield EvaluatorComponent(
        "budget",
        _budget,
        BudgetOptions,
        summary="precision and recall of the k highest scores, and at so many alarms a day",
    )
    yield EvaluatorComponent(
        "incidents",
        _incidents,
        IncidentsOptions,
        summary="incidents found and false ones: units that follow each other; precision and recall of ranges",
    )
    yield EvaluatorComponent(
        "costs",
        _costs,
        CostsOptions,
        summary="price of false alarms and misses, beside no model and the best threshold",
        prices=("fp", "fn"),
    )
    yield EvaluatorComponent(
        "calibration",
        _calibration,
        CalibrationOptions,
        summary="Brier score and calibration error of scores that are probabilities",
    )
    yield EvaluatorComponent(
        "first-alarm",
        _first_alarm,
        summary="events and seconds until an anomaly alarms within its unit, and before its end",
    )
    yield EvaluatorComponent(
        "types",
        _types,
        summary="recall of each type of anomaly that the data name, its mean and the lowest one",
    )
    yield EvaluatorComponent(
        "template-sets",
        _template_sets,
        summary="recall of each set of templates that anomalies consist of, and the share of the largest",
    )
