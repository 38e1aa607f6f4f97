"""First-party evaluators."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from logbench import EvaluatorComponent, hookimpl


def _classification() -> Any:
    from .classification import Classification

    return Classification()


@hookimpl
def logbench_evaluators() -> Iterable[EvaluatorComponent[Any]]:
    """Offer `classification`, the default."""
    yield EvaluatorComponent(
        "classification",
        _classification,
        summary="precision, recall, F1, MCC, AUROC, AUPRC and prevalence of units",
        default=True,
    )
