"""Precision against recall, and true against false alarms, of every threshold: a line a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..theme import CATEGORIES, DASHES, SHAPES
from .figure import Figure, number

if TYPE_CHECKING:
    from ..levels import Levels

# Points of a curve on the page.
MOST = 60
CLICK = "click a model to single it out"


@dataclass(frozen=True)
class Curve:
    """A model's first run: every threshold, and the one in force.

    Attributes:
        area: the record's AUPRC.
    """

    model: str
    levels: Levels
    threshold: float
    area: float | None


def precision_recall(curves: Sequence[Curve]) -> Figure:
    """Precision at each recall; the threshold in force is a point."""
    points = [row for curve in curves for row in _points(curve, _precision_recall)]
    in_force = [row for curve in curves for row in _in_force(curve, _precision_recall)]
    best = max(
        (curve for curve in curves if curve.area is not None), key=lambda curve: curve.area or 0, default=None
    )
    said = f"{best.model} has the largest area, {number(best.area)}. " if best else ""
    return Figure(
        "precision-recall",
        "Precision at each recall, model by model",
        f"{said}A point is where the threshold in force puts a model; where its line runs above the "
        "point, another threshold is better.",
        _lines("recall", "precision", [curve.model for curve in curves], "step-after"),
        {"points": points, "in_force": in_force},
        [
            {
                "model": row["model"],
                "threshold in force": _exact(curve.threshold),
                "precision": row["y"],
                "recall": row["x"],
                "AUPRC": curve.area,
            }
            for curve in curves
            for row in _in_force(curve, _precision_recall)
        ],
        height=320,
    )


def roc(curves: Sequence[Curve]) -> Figure:
    """Share of the anomalies that alarm against share of the normal units that do."""
    models = [curve.model for curve in curves]
    return Figure(
        "roc",
        "ROC: true against false alarms",
        "Where anomalies are rare, a small step to the right is many false alarms: precision and recall say more.",
        _lines("share of normal units that alarm", "share of anomalies that alarm", models),
        {
            "points": [row for curve in curves for row in _points(curve, _roc)],
            "in_force": [row for curve in curves for row in _in_force(curve, _roc)],
        },
        [
            {"model": row["model"], "normal units that alarm": row["x"], "anomalies that alarm": row["y"]}
            for curve in curves
            for row in _in_force(curve, _roc)
        ],
        height=320,
        folded=True,
    )


def _precision_recall(levels: Levels) -> tuple[Any, Any]:
    return levels.recall, levels.precision


def _roc(levels: Levels) -> tuple[Any, Any]:
    return levels.fp / (levels.normal or 1.0), levels.recall


def _points(curve: Curve, axes: Any) -> list[Mapping[str, Any]]:
    thin = curve.levels.thinned(MOST, [curve.threshold])
    xs, ys = axes(thin)
    whole = 1.0 if axes is _roc else curve.levels.anomalies / (curve.levels.anomalies + curve.levels.normal or 1.0)
    rows = [(1.0, whole), *zip(xs.tolist(), ys.tolist(), strict=True)]
    if axes is _precision_recall:  # without an alarm there is no precision
        rows = rows[:1] + [row for row, alarms in zip(rows[1:], thin.tp + thin.fp, strict=True) if alarms]
        rows.append((0.0, rows[-1][1]))
    rounded = [(round(x, 4), round(y, 4)) for x, y in rows]
    return [{"model": curve.model, "x": x, "y": y, "at": at} for at, (x, y) in enumerate(dict.fromkeys(rounded))]


def _in_force(curve: Curve, axes: Any) -> list[dict[str, Any]]:
    xs, ys = axes(curve.levels)
    at = curve.levels.at(curve.threshold)
    if at < 0:
        return []
    if axes is _precision_recall and not curve.levels.tp[at] + curve.levels.fp[at]:  # no alarm, no precision
        return []
    return [{"model": curve.model, "x": round(float(xs[at]), 4), "y": round(float(ys[at]), 4)}]


def _exact(threshold: float) -> str:
    return f"{threshold:.6g}".replace("inf", "∞")


def _lines(x: str, y: str, models: Sequence[str], between: str = "linear") -> dict[str, Any]:
    colours, dashes = _by_model(models, CATEGORIES), _by_model(models, DASHES, len(CATEGORIES))
    shapes = _by_model(models, SHAPES)
    faint = {"condition": {"param": "single", "value": 1}, "value": 0.1}
    axes = {
        name: {
            "field": name,
            "type": "quantitative",
            "title": title,
            "scale": {"domain": [0, 1]},
            "axis": {"tickCount": 6},
        }
        for name, title in (("x", x), ("y", y))
    }
    return {
        "layer": [
            {
                "params": [{"name": "single", "select": {"type": "point", "fields": ["model"]}, "bind": "legend"}],
                "data": {"name": "points"},
                "mark": {"type": "line", "interpolate": between, "strokeWidth": 2},
                "encoding": {
                    **axes,
                    "color": colours,
                    "strokeDash": dashes,
                    "opacity": faint,
                    "order": {"field": "at"},
                },
            },
            {
                "data": {"name": "in_force"},
                "mark": {"type": "point", "filled": True, "size": 110},
                "encoding": {
                    **axes,
                    "color": colours,
                    "shape": shapes,
                    "opacity": faint,
                    "tooltip": [
                        {"field": "model"},
                        {"field": "x", "title": x, "format": ".3f"},
                        {"field": "y", "title": y, "format": ".3f"},
                    ],
                },
            },
        ]
    }


def _by_model(models: Sequence[str], values: Sequence[Any], each: int = 1) -> dict[str, Any]:
    """A channel that tells models apart: these values in turn, each for so many models."""
    names = list(dict.fromkeys(models))
    chosen = [values[at // each % len(values)] for at in range(len(names))]
    return {"field": "model", "type": "nominal", "title": CLICK, "scale": {"domain": names, "range": chosen}}
