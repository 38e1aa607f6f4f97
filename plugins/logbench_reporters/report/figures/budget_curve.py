"""Recall at each number of alarms, a day where times are known: a line a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..levels import Levels
from .figure import Figure, number
from .model_lines import model_lines, thin

if TYPE_CHECKING:
    import polars as pl

MICROSECONDS_A_DAY = 86_400_000_000


def days_of(units: pl.DataFrame) -> float | None:
    """Days between the first and the last line; None without times."""
    if "first_time" not in units.columns:
        return None
    first, last = units["first_time"].min(), units["last_time"].max()
    return (last - first) / MICROSECONDS_A_DAY if isinstance(first, int) and isinstance(last, int) else None


def recalls(units: pl.DataFrame, days: float | None) -> list[tuple[float, float]]:
    """Alarms (a day, where days are known) and recall of every threshold, the fewest alarms first.

    Args:
        units: `label`, `score`, `weight`, `flagged`.
    """
    levels = Levels.of(units)
    alarms, found = (levels.tp + levels.fp)[::-1] / (days or 1.0), levels.recall[::-1]
    return [(0.0, 0.0), *zip(alarms.tolist(), found.tolist(), strict=True)]


def at_budget(curve: Sequence[tuple[float, float]], budget: float) -> float:
    """Recall of the lowest threshold that keeps to a number of alarms."""
    return max(found for alarms, found in curve if alarms <= budget)


def budget_curve(models: Sequence[tuple[str, pl.DataFrame]], asked: Mapping[str, float]) -> Figure | None:
    """Recall at each number of alarms; None where no budget was asked.

    Args:
        asked: `a_day`, alarms a day that are looked at, and `k`, alarms in all, for data without times.
    """
    if not asked or not models:
        return None
    days = days_of(models[0][1])
    budget, a_day = (asked["a_day"], " a day") if days else (float(asked["k"]), "")
    curves = {model: recalls(units, days) for model, units in models}
    table = [{"model": model, f"recall at {budget:g} alarms{a_day}": at_budget(curve, budget)}
             for model, curve in curves.items()]  # fmt: skip
    best = max(curves, key=lambda model: at_budget(curves[model], budget))
    lines = [
        {"model": model, "x": round(alarms, 4), "y": round(found, 4)}
        for model, curve in curves.items()
        for alarms, found in thin([point for point in curve if point[0] > 0])
    ]
    return Figure(
        "budget-curve",
        f"Recall at each number of alarms{a_day}",
        f"With {budget:g} alarms{a_day} {best} finds {number(at_budget(curves[best], budget))} of the anomalies. "
        "The threshold of each point is taken on the scores of the test: another month needs another one.",
        {
            "layer": model_lines(
                list(curves),
                {"title": f"alarms{a_day} (logarithmic)", "scale": {"type": "log"},
                 "axis": {"tickCount": 4, "format": "~s"}},
                {"title": "recall", "scale": {"domain": [0, 1]}},
                "step-after",
            )
        },
        {"lines": lines, "marked": [{"x": budget, "text": f"the budget asked: {budget:g}{a_day}"}]},
        table,
    )  # fmt: skip
