"""How much of it is the protocol: F1 of the same scores under every choice after scoring, and papers' figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..theme import LIGHT
from .figure import Figure, number

FIELDS = ("short", "unseen", "threshold", "duplicates", "f1")
UNSEEN = {"target": LIGHT["teal"], "anomalous": LIGHT["blue"], "ignore": LIGHT["amber"]}


def spread(
    model: str, choices: Sequence[Mapping[str, Any]], published: Sequence[Mapping[str, Any]] = ()
) -> Figure:
    """A tick a choice, in a row of what becomes of short units; published figures below.

    Args:
        choices: `short`, `unseen`, `threshold`, `duplicates`, `f1`, `in_force`; at least one.
        published: `source` and `f1` of the same model on the same data.
    """
    data = [{**one, "f1": round(one["f1"], 5), "row": f"short {one['short']}"} for one in choices]
    papers = [{"row": "published", "f1": one["f1"], "source": one["source"]} for one in published]
    rows = [*dict.fromkeys(one["row"] for one in data), *(["published"] if papers else [])]
    values = [one["f1"] for one in data]
    kinds = [kind for kind in UNSEEN if any(one["unseen"] == kind for one in data)]
    said = f" Published: {len(papers)} figures of {model}, each under the protocol of its paper." if papers else ""
    return Figure(
        "spread",
        f"F1 of {model} under {len(data)} protocols",
        f"One training, the same scores: F1 from {number(min(values))} to {number(max(values))}, by what short "
        f"units and unseen keys count as, where the threshold is from, and whether duplicates count. The "
        f"triangle is the protocol in force.{said}",
        {"layer": _layers(rows, kinds)},
        {"choices": data, "published": papers},
        [*map(_choice, data), *map(_paper, papers)],
        height=40 * len(rows),
    )


def _choice(one: Mapping[str, Any]) -> dict[str, Any]:
    return {**{name: one[name] for name in FIELDS}, "in force": one["in_force"]}


def _paper(one: Mapping[str, Any]) -> dict[str, Any]:
    what = {"short": "", "unseen": "", "threshold": one["source"], "duplicates": "published"}
    return {**what, "f1": one["f1"], "in force": False}


def _layers(rows: Sequence[str], kinds: Sequence[str]) -> list[dict[str, Any]]:
    x = {
        "field": "f1",
        "type": "quantitative",
        "title": "f1",
        "scale": {"domain": [0, 1]},
        "axis": {"tickCount": 6},
    }
    y = {"field": "row", "type": "nominal", "sort": None, "title": None, "scale": {"domain": [*rows]}}
    colour = {
        "field": "unseen",
        "type": "nominal",
        "title": "unseen keys",
        "scale": {"domain": [*kinds], "range": [UNSEEN[kind] for kind in kinds]},
    }
    place = {"x": x, "y": y}
    return [
        {
            "data": {"name": "choices"},
            "mark": {"type": "tick", "thickness": 2, "size": 22},
            "encoding": {**place, "color": colour, "tooltip": [{"field": name} for name in FIELDS]},
        },
        {
            "data": {"name": "choices"},
            "transform": [{"filter": "datum.in_force"}],
            "mark": {"type": "point", "shape": "triangle-down", "filled": True, "size": 110, "dy": -16},
            "encoding": {**place, "color": {"value": LIGHT["ink"]}, "yOffset": {"value": -17}},
        },
        {
            "data": {"name": "published"},
            "mark": {"type": "point", "shape": "diamond", "filled": True, "size": 70},
            "encoding": {
                **place,
                "color": {"value": LIGHT["violet"]},
                "tooltip": [{"field": "source"}, {"field": "f1"}],
            },
        },
    ]
