"""Figures of what a person on call gets, as far as evaluators were asked for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .figures.budget_curve import budget_curve
from .figures.first_alarm import first_alarm
from .figures.price_curve import price_curve
from .figures.reliability import reliability
from .figures.types import types

if TYPE_CHECKING:
    import polars as pl

    from .figures.figure import Figure
    from .study import Study

# Models whose lines are drawn, the best ones.
MOST_LINES = 8
# Evaluators of which there is a figure.
EVALUATORS = frozenset({"costs", "budget", "first-alarm", "types", "calibration"})


def on_call(study: Study) -> list[Figure]:
    """One figure an evaluator that a run had; none where no scores are left."""
    known: list[tuple[str, pl.DataFrame]] = [
        (record["model"], units)
        for record in study.firsts[:MOST_LINES]
        if (units := study.units(record)) is not None and len(units)
    ]
    return of_units(known, _asked(study)) if known else []


def of_units(known: Sequence[tuple[str, pl.DataFrame]], asked: Mapping[str, Any]) -> list[Figure]:
    """One figure an evaluator that was asked for; none of no model.

    Args:
        known: models, the best first, each with the units that its headline counts.
        asked: evaluator → its options.
    """
    if not known:
        return []
    made = (
        price_curve(known, asked.get("costs", {})),
        budget_curve(known, asked.get("budget", {})),
        first_alarm(known),
        types(known),
        reliability(known, asked["calibration"]["bins"]) if "calibration" in asked else None,
    )
    return [figure for figure in made if figure is not None]


def _asked(study: Study) -> dict[str, Any]:
    """Evaluators of the best model's run, with their options."""
    found: dict[str, Any] = study.firsts[0]["config"].get("evaluators", {})
    return found
