"""A line a model, told apart by colour and dash: marks of figures whose x is no metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..theme import CATEGORIES, DASHES

# Points of a line on the page.
MOST = 60


def model_lines(
    models: Sequence[str], x: Mapping[str, Any], y: Mapping[str, Any], between: str = "linear"
) -> list[dict[str, Any]]:
    """Layers: lines of the data set `lines` (`model`, `x`, `y`), rules at each `x` of `marked` with its `text`.

    Args:
        x, y: title, scale and axis of each.
    """
    places = range(len(models))
    colour, dash = (
        {"field": "model", "type": "nominal", "title": None, "scale": {"domain": list(models), "range": of}}
        for of in (
            [CATEGORIES[at % len(CATEGORIES)] for at in places],
            [DASHES[at // len(CATEGORIES) % len(DASHES)] for at in places],
        )
    )
    across = {"field": "x", "type": "quantitative", **x}
    up = {"field": "y", "type": "quantitative", **y}
    tooltip = [{"field": "model"}, *({"field": name, "format": ".4g"} for name in ("x", "y"))]
    return [
        {
            "data": {"name": "marked"},
            "mark": {"type": "rule", "strokeDash": [3, 3], "color": CATEGORIES[0]},
            "encoding": {"x": across, "tooltip": {"field": "text"}},
        },
        {
            "data": {"name": "lines"},
            "mark": {"type": "line", "interpolate": between, "strokeWidth": 2},
            "encoding": {"x": across, "y": up, "color": colour, "strokeDash": dash, "tooltip": tooltip},
        },
    ]


def thin(rows: Sequence[tuple[float, float]], most: int = MOST) -> list[tuple[float, float]]:
    """At most about `most` points, evenly taken, with the first and the last."""
    if len(rows) <= most:
        return list(rows)
    step = (len(rows) - 1) / (most - 1)
    return [rows[round(at * step)] for at in range(most)]
