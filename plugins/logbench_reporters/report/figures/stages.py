"""Where the time of a run went: seconds of each stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..theme import LIGHT
from .figure import Figure


def stages(record: Mapping[str, Any]) -> Figure | None:
    """Stages that a run did itself, in their order; None where none is known."""
    own = {
        name: one
        for name, one in record["stages"].items()
        if not one.get("shared") and one.get("wall_s") is not None
    }
    data = [
        {"stage": name, "seconds": one["wall_s"], "cpu": one.get("cpu_s"), "MB": one.get("peak_rss_mb")}
        for name, one in own.items()
    ]
    if not data:
        return None
    longest = max(data, key=lambda one: one["seconds"])
    y = {"field": "stage", "type": "nominal", "sort": None, "title": None}
    return Figure(
        "stages",
        f"Time of {record['model']} by stage",
        f"{longest['stage']} took longest, {longest['seconds']:.3g} s. What an earlier model did is left out.",
        {
            "data": {"name": "stages"},
            "layer": [
                {
                    "mark": {"type": "bar", "color": LIGHT["teal"]},
                    "encoding": {
                        "y": y,
                        "x": {"field": "seconds", "type": "quantitative", "axis": {"tickCount": 6}},
                    },
                },
                {
                    "mark": {"type": "text", "align": "left", "dx": 5},
                    "encoding": {
                        "y": y,
                        "x": {"field": "seconds", "type": "quantitative"},
                        "text": {"field": "seconds", "format": ".2~g"},
                    },
                },
            ],
        },
        {"stages": data},
        [
            {"stage": one["stage"], "wall s": one["seconds"], "CPU s": one["cpu"], "largest memory, MB": one["MB"]}
            for one in data
        ],
        height=max(60, 22 * len(data)),
    )
