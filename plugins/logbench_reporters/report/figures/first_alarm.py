"""How soon anomalies alarm: the share that has, after each number of events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .figure import Figure, number
from .model_lines import model_lines, thin

if TYPE_CHECKING:
    import polars as pl


def alarmed(units: pl.DataFrame) -> list[tuple[float, float]]:
    """Events from the first anomalous line (or the first one) to the alarm, and the share that alarms by then.

    Args:
        units: `label`, `weight`, `first_alarm`, `first_anomalous`.

    Returns:
        Ascending; empty where nobody knows.
    """
    import polars as pl

    anomalies = units.filter(pl.col("label") == 1)
    late = pl.max_horizontal(0, pl.col("first_alarm") - pl.col("first_anomalous").fill_null(0))
    by = (
        anomalies.filter(pl.col("first_alarm").is_not_null())
        .group_by(late=late)
        .agg(pl.col("weight").sum())
        .sort("late")
        .with_columns(share=pl.col("weight").cum_sum() / float(anomalies["weight"].sum() or 1.0))
    )
    return [(float(events), float(share)) for events, share in by.select("late", "share").iter_rows()]


def by_then(points: Sequence[tuple[float, float]], events: float) -> float:
    """Share of the anomalies that have alarmed after so many events."""
    return max((share for late, share in points if late <= events), default=0.0)


def first_alarm(models: Sequence[tuple[str, pl.DataFrame]]) -> Figure | None:
    """A line a model; None where no run says where within a unit an alarm is raised first."""
    curves = {model: points for model, units in models if "first_alarm" in units.columns
              and (points := alarmed(units))}  # fmt: skip
    if not curves:
        return None
    soon = {model: by_then(points, 1) for model, points in curves.items()}
    best = max(soon, key=lambda model: soon[model])
    most = max(points[-1][0] for points in curves.values())
    lines = [
        {"model": model, "x": events, "y": round(share, 4)}
        for model, points in curves.items()
        for events, share in thin(
            [(0.0, points[0][1] if points[0][0] == 0 else 0.0), *points, (most, points[-1][1])]
        )
    ]
    return Figure(
        "first-alarm",
        "How soon anomalies alarm",
        f"{best} has alarmed for {number(soon[best])} of the anomalies one event after the first anomalous line "
        "(the unit's first one, where lines have no labels). A line ends at the model's recall: what it misses "
        "is never early.",
        {
            "layer": model_lines(
                list(curves),
                {"title": "events until the alarm", "axis": {"tickMinStep": 1, "tickCount": 8}},
                {"title": "share of the anomalies", "scale": {"domain": [0, 1]}},
                "step-after",
            )
        },
        {"lines": lines, "marked": []},
        [
            {"model": model, "at once": by_then(points, 0),
             "in the end": points[-1][1], "latest, in events": points[-1][0]}
            for model, points in curves.items()
        ],
    )  # fmt: skip
