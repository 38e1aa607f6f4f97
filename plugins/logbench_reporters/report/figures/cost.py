"""What quality costs: a metric against seconds; the Pareto front is a line."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from typing import Any

from ...cost import front
from ...rows import Row
from ..theme import LIGHT
from .figure import Figure, number


def cost(rows: Sequence[Row], metric: str = "f1", lower: bool = False) -> Figure | None:
    """Fit and score seconds of each model on a scale of logarithms; None where no time is known."""
    known = [
        row for row in rows if row.kind != "rule" and row.cost.seconds and row.metrics.get(metric) is not None
    ]
    points = {row.name: (row.metrics[metric] or 0.0, row.cost.seconds or 0.0) for row in known}
    best = set(front(points, lower))
    data: list[dict[str, Any]] = [
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
    if not data:
        return None
    x = {
        "field": "seconds",
        "type": "quantitative",
        "scale": {"type": "log", "nice": True, "padding": 24},
        "title": "seconds of fit and score (logarithmic)",
        "axis": {"format": "~g", "tickCount": 5},
    }
    y = {"field": "value", "type": "quantitative", "title": metric, "scale": {"zero": True, "nice": True}}
    _place(data)
    names = ", ".join(sorted(best, key=lambda name: points[name][1]))
    devices = ", ".join(sorted({row["device"] for row in data if row["device"]})) or "an unknown device"
    return Figure(
        "cost",
        "What quality costs",
        f"No other model is both better and faster than those on the line: {names}. Seconds are wall time on "
        f"{devices}.",
        {
            "layer": [
                {
                    "data": {"name": "points"},
                    "transform": [{"filter": "datum.front"}],
                    "mark": {"type": "line", "color": LIGHT["teal"], "interpolate": "step-after", "opacity": 0.5},
                    "encoding": {"x": x, "y": y, "order": {"field": "seconds"}},
                },
                {
                    "data": {"name": "points"},
                    "mark": {"type": "point", "filled": True, "size": 90},
                    "encoding": {
                        "x": x,
                        "y": y,
                        "color": {
                            "condition": {"test": "datum.front", "value": LIGHT["teal"]},
                            "value": LIGHT["grey"],
                        },
                        "shape": {"condition": {"test": "datum.front", "value": "circle"}, "value": "diamond"},
                        "tooltip": [
                            {"field": "name"},
                            {"field": "value", "title": metric, "format": ".3f"},
                            {"field": "seconds", "format": ".3g"},
                            {"field": "peak MB"},
                        ],
                    },
                },
                *(
                    {
                        "data": {"name": "points"},
                        "transform": [{"filter": chosen}],
                        "mark": {"type": "text", "dy": dy},
                        "encoding": {"x": x, "y": y, "text": {"field": "name"}},
                    }
                    for chosen, dy in (("!datum.below", -11), ("datum.below", 16))
                ),
            ]
        },
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


def _place(points: list[dict[str, Any]]) -> None:
    """Put a name below its point where one above would lie over another name."""
    width = max(log10(max(one["seconds"] for one in points) / min(one["seconds"] for one in points)), 1.0)
    above: list[dict[str, Any]] = []
    for one in sorted(points, key=lambda one: one["seconds"]):
        one["below"] = any(
            log10(one["seconds"] / other["seconds"]) < 0.13 * width and abs(one["value"] - other["value"]) < 0.06
            for other in above
        )
        if not one["below"]:
            above.append(one)
