"""What quality costs: a metric against seconds; the Pareto front is a line."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import log10
from typing import Any

from ...cost import front
from ...rows import Row
from ..theme import LIGHT
from .figure import Figure, number


def cost(rows: Sequence[Row], metric: str = "f1", lower: bool = False) -> Figure | None:
    """Fit and score seconds of each model on a scale of logarithms; None where no time is known."""
    data = _points(rows, metric, lower)
    if not data:
        return None
    _place(data)
    best = sorted((one for one in data if one["front"]), key=lambda one: one["seconds"])
    names = ", ".join(one["name"] for one in best)
    devices = ", ".join(sorted({row["device"] for row in data if row["device"]})) or "an unknown device"
    return Figure(
        "cost",
        "What quality costs",
        f"No other model is both better and faster than those on the line: {names}. Seconds are wall time on "
        f"{devices}.",
        {"layer": _layers(metric, {one["slot"] for one in data})},
        {"points": data},
        [
            {
                "model": one["name"],
                metric: number(one["value"]),
                "fit + score s": round(one["seconds"], 3),
                "largest memory, MB": one["peak MB"],
                "on the front": one["front"],
            }
            for one in data
        ],
        height=300,
    )


def _points(rows: Sequence[Row], metric: str, lower: bool) -> list[dict[str, Any]]:
    known = [
        row for row in rows if row.kind != "rule" and row.cost.seconds and row.metrics.get(metric) is not None
    ]
    points = {row.name: (row.metrics[metric] or 0.0, row.cost.seconds or 0.0) for row in known}
    best = set(front(points, lower))
    return [
        {
            "name": row.name,
            "value": points[row.name][0],
            "seconds": points[row.name][1],
            "front": row.name in best,
            "device": row.cost.device or "",
            "peak MB": row.cost.peak_mb,
        }
        for row in known
    ]


def _layers(metric: str, slots: Collection[str]) -> list[dict[str, Any]]:
    x = {
        "field": "seconds",
        "type": "quantitative",
        "scale": {"type": "log", "nice": True, "padding": 24},
        "title": "seconds of fit and score (logarithmic)",
        "axis": {"format": "~g", "tickCount": 5},
    }
    y = {"field": "value", "type": "quantitative", "title": metric, "scale": {"zero": True, "nice": True}}
    line = {
        "data": {"name": "points"},
        "transform": [{"filter": "datum.front"}],
        "mark": {"type": "line", "color": LIGHT["teal"], "interpolate": "step-after", "opacity": 0.5},
        "encoding": {"x": x, "y": y, "order": {"field": "seconds"}},
    }
    points = {
        "data": {"name": "points"},
        "mark": {"type": "point", "filled": True, "size": 90},
        "encoding": {
            "x": x,
            "y": y,
            "color": {"condition": {"test": "datum.front", "value": LIGHT["teal"]}, "value": LIGHT["grey"]},
            "shape": {"condition": {"test": "datum.front", "value": "circle"}, "value": "diamond"},
            "tooltip": [
                {"field": "name"},
                {"field": "value", "title": metric, "format": ".3f"},
                {"field": "seconds", "format": ".3g"},
                {"field": "peak MB"},
            ],
        },
    }
    names = [
        {
            "data": {"name": "points"},
            "transform": [{"filter": f"datum.slot == '{slot}'"}],
            "mark": place,
            "encoding": {"x": x, "y": y, "text": {"field": "name"}},
        }
        for slot, place in SLOTS.items()
        if slot in slots
    ]
    return [line, points, *names]


# Where a name stands beside its point, in order of preference: shift and alignment.
SLOTS: dict[str, dict[str, Any]] = {
    "above": {"type": "text", "dy": -11},
    "below": {"type": "text", "dy": 16},
    "right": {"type": "text", "dx": 10, "align": "left", "baseline": "middle"},
}


def _place(points: list[dict[str, Any]]) -> None:
    """Give each name the first slot that no near point has."""
    width = max(log10(max(one["seconds"] for one in points) / min(one["seconds"] for one in points)), 1.0)
    placed: list[dict[str, Any]] = []
    for one in sorted(points, key=lambda one: one["seconds"]):
        taken = {
            other["slot"]
            for other in placed
            if log10(one["seconds"] / other["seconds"]) < 0.13 * width
            and abs(one["value"] - other["value"]) < 0.06
        }
        one["slot"] = next((slot for slot in SLOTS if slot not in taken), "right")
        placed.append(one)
