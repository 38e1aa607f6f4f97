"""Ranking: a dot and an interval a model, a line at the best rule that needs no model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...rows import Row
from ..theme import LIGHT
from .figure import Figure, number

KINDS = ("model", "baseline", "rule")
COLOURS = {"model": LIGHT["teal"], "baseline": LIGHT["blue"], "rule": LIGHT["amber"]}


def ranking(rows: Sequence[Row], metric: str = "f1", lower: bool = False) -> Figure:
    """Rows with a value of the metric, the best first.

    Args:
        rows: of models, baselines and rules, see `rows.Row`.
        lower: the metric is better where it is lower.
    """
    known = [row for row in rows if row.metrics.get(metric) is not None]
    known.sort(key=lambda row: row.metrics[metric] or 0.0, reverse=not lower)
    data = [_point(row, metric) for row in known]
    rules = [one for one in data if one["kind"] == "rule"]
    names = [one["name"] for one in data]
    y = {"field": "name", "type": "nominal", "sort": None, "title": None, "scale": {"domain": names}}
    kinds = [kind for kind in KINDS if any(one["kind"] == kind for one in data)]
    colour = {
        "field": "kind",
        "type": "nominal",
        "title": None,
        "scale": {"domain": kinds, "range": [COLOURS[kind] for kind in kinds]},
    }
    shape = {
        "field": "kind",
        "type": "nominal",
        "scale": {"domain": kinds, "range": ["circle", "square", "diamond"][: len(kinds)]},
    }
    unit = all(0 <= one["value"] <= 1 for one in data)
    scale: dict[str, Any] = {"domain": [0, 1]} if unit else {"zero": True}
    x = {"field": "value", "type": "quantitative", "title": metric, "scale": scale, "axis": {"tickCount": 6}}
    layers: list[dict[str, Any]] = [
        {
            "data": {"name": "best_rule"},
            "mark": {"type": "rule", "strokeDash": [5, 4], "color": LIGHT["amber"]},
            "encoding": {"x": {"field": "value", "type": "quantitative"}},
        },
        {
            "data": {"name": "rows"},
            "transform": [{"filter": "isValid(datum.low)"}],
            "mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.45},
            "encoding": {
                "x": {**x, "field": "low"},
                "x2": {"field": "high"},
                "y": y,
                "color": {**colour, "legend": None},
            },
        },
        {
            "data": {"name": "rows"},
            "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
            "encoding": {
                "x": x,
                "y": y,
                "color": colour,
                "shape": {**shape, "title": None},
                "tooltip": [{"field": "name"}, {"field": "text", "title": metric}],
            },
        },
        {
            "data": {"name": "rows"},
            "mark": {"type": "text", "align": "left", "dx": 9, "baseline": "middle"},
            "encoding": {"x": {**x, "field": "right"}, "y": y, "text": {"field": "text"}},
        },
    ]
    best = max(rules, key=lambda one: -one["value"] if lower else one["value"], default=None)
    return Figure(
        "ranking",
        f"{metric} of every model and rule",
        _described(data, best, metric),
        {"layer": layers},
        {"rows": data, "best_rule": [best] if best else []},
        [
            {
                "name": one["name"],
                "kind": one["kind"],
                metric: one["value"],
                "95% from": one["low"],
                "to": one["high"],
            }
            for one in data
        ],
        height=max(80, 24 * len(data)),
    )


def _point(row: Row, metric: str) -> dict[str, Any]:
    value, (low, high) = row.metrics[metric], row.bounds.get(metric, (None, None))
    name = row.name if row.kind != "rule" else f"rule: {row.name}"
    right = value if high is None else high
    return {
        "name": name,
        "kind": row.kind,
        "value": value,
        "low": low,
        "high": high,
        "right": right,
        "text": number(value),
    }


def _described(data: Sequence[dict[str, Any]], best: dict[str, Any] | None, metric: str) -> str:
    models = [one for one in data if one["kind"] != "rule"]
    if not models:
        return f"No model has a value of {metric}."
    first = f"{models[0]['name']} is best with {metric} {models[0]['text']}"
    beaten = [one for one in models if best is not None and data.index(one) > data.index(best)]
    if best is None:
        return f"{first}."
    return (
        f"{first}; the dashed line is {best['name']} at {best['text']}, which needs no model: "
        f"{len(beaten)} of {len(models)} models are below it."
    )
