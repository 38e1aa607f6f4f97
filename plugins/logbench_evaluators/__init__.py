"""First-party evaluators."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from logbench import Component, hookimpl


def _classification() -> Any:
    from .classification import Classification

    return Classification()


@hookimpl
def logbench_evaluators() -> Iterable[Component[Any]]:
    """Offer `classification`, the default."""
    yield Component(
        "classification",
        _classification,
        summary="precision, recall, F1, MCC, AUROC, AUPRC and prevalence of units",
        default=True,
    )
