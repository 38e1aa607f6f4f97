"""Ranking: a dot and an interval a model, a line at the best rule that needs no model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...rows import Row
from ..theme import LIGHT
from .figure import Figure, finds_nothing, number

KINDS = ("model", "baseline", "rule")
# Width of a bracket of ties, in units of the metric.
STEP = 0.03
COLOURS = {"model": LIGHT["teal"], "baseline": LIGHT["blue"], "rule": LIGHT["amber"]}


def ranking(
    rows: Sequence[Row], metric: str = "f1", lower: bool = False, tied: Mapping[str, str] | None = None
) -> Figure:
    """Rows with a value of the metric, the best first.

    Args:
        rows: of models, baselines and rules, see `rows.Row`.
        lower: the metric is better where it is lower. tied: letters of models; two that share one are bracketed.
    """
    known = [row for row in rows if row.metrics.get(metric) is not None]
    known.sort(key=lambda row: row.metrics[metric] or 0.0, reverse=not lower)
    data = [_point(row, metric) for row in known]
    rules = [one for one in data if one["kind"] == "rule"]
    best = max(rules, key=lambda one: -one["value"] if lower else one["value"], default=None)
    unit = all(0 <= one["value"] <= 1 for one in data)
    brackets = _brackets([one["name"] for one in data], tied or {}) if unit else []
    return Figure(
        "ranking",
        f"{metric} of every model and rule",
        _described(data, best, metric),
        {"layer": _layers(data, _x(metric, unit, brackets))},
        {"rows": data, "best_rule": [best] if best else [], "ties": brackets},
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


def _x(metric: str, unit: bool, brackets: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The axis of the metric; one of shares from 0 to 1 has room for brackets at its end."""
    wide = 1.04 + STEP * len({one["letter"] for one in brackets})
    scale: dict[str, Any] = {"domain": [0, round(wide, 2) if brackets else 1]} if unit else {"zero": True}
    axis = {"tickCount": 6} | ({"values": [0, 0.2, 0.4, 0.6, 0.8, 1]} if unit else {})
    return {"field": "value", "type": "quantitative", "title": metric, "scale": scale, "axis": axis}


def _looks(data: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Colour and shape of a kind."""
    kinds = [kind for kind in KINDS if any(one["kind"] == kind for one in data)]
    colours = {"domain": kinds, "range": [COLOURS[kind] for kind in kinds]}
    shapes = {"domain": kinds, "range": ["circle", "square", "diamond"][: len(kinds)]}
    kind = {"field": "kind", "type": "nominal", "title": None}
    return {
        "color": {**kind, "legend": {"symbolOpacity": 1}, "scale": colours},
        "shape": {**kind, "scale": shapes},
    }


def _layers(data: Sequence[Mapping[str, Any]], x: Mapping[str, Any]) -> list[dict[str, Any]]:
    names = [one["name"] for one in data]
    y: dict[str, Any] = {
        "field": "name",
        "type": "nominal",
        "title": None,
        "sort": None,
        "scale": {"domain": names},
    }
    y["axis"] = {"labelPadding": 9}  # a point at 0 stands on the axis
    looks = _looks(data)
    tooltip = [{"field": "name"}, {"field": "text", "title": x["title"]}]
    return [
        {
            "data": {"name": "best_rule"},
            "mark": {"type": "rule", "strokeDash": [5, 4], "color": LIGHT["amber"]},
            "encoding": {"x": {"field": "value", "type": "quantitative"}},
        },
        {
            "data": {"name": "rows"},
            "transform": [{"filter": "isValid(datum.low)"}],
            "mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.45},
            "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y, "color": looks["color"]},
        },
        {
            "data": {"name": "rows"},
            "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
            "encoding": {
                "x": x,
                "y": y,
                **looks,
                "tooltip": tooltip,
            },
        },
        {
            "data": {"name": "rows"},
            "mark": {"type": "text", "align": "left", "dx": 9, "baseline": "middle"},
            "encoding": {"x": {**x, "field": "right"}, "y": y, "text": {"field": "text"}},
        },
        *tie_layers({**x, "field": "at"}, y),
    ]


def tie_layers(x: Mapping[str, Any], y: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Brackets around what is not told apart: rows of the data set `ties` with a `letter` each."""
    marks: list[dict[str, Any]] = [
        {"type": "line", "strokeWidth": 2},
        {"type": "tick", "orient": "horizontal", "size": 9, "thickness": 2},
    ]
    encoding = {"x": x, "y": y, "detail": {"field": "letter"}, "tooltip": [{"field": "tied"}]}
    return [
        {"data": {"name": "ties"}, "mark": {**mark, "color": LIGHT["grey"]}, "encoding": encoding}
        for mark in marks
    ]


def _brackets(names: Sequence[str], tied: Mapping[str, str]) -> list[dict[str, Any]]:
    """A row a model of each letter that several share, the letters side by side."""
    groups = {
        letter: [name for name in names if letter in tied.get(name, "")]
        for letter in sorted(set("".join(tied.values())))
    }
    shared = {letter: group for letter, group in groups.items() if len(group) > 1}
    return [
        {
            "name": name,
            "letter": letter,
            "at": round(1.07 + STEP * column, 3),
            "tied": f"cannot be told apart: {', '.join(group)}",
        }
        for column, (letter, group) in enumerate(shared.items())
        for name in group
    ]


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
    if finds_nothing(metric, models[0]["value"]):
        first = f"No model finds an anomaly: {metric} {models[0]['text']}"
    beaten = [one for one in models if best is not None and data.index(one) > data.index(best)]
    if best is None:
        return f"{first}."
    return (
        f"{first}; the dashed line is {best['name']} at {best['text']}, which needs no model: "
        f"{len(beaten)} of {len(models)} models are below it."
    )
