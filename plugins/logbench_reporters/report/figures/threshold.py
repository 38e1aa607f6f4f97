"""The threshold: how many units score what, and what F1, precision and recall are at every level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..levels import Levels, binned, labels_of
from ..theme import LIGHT
from .figure import Figure, number

if TYPE_CHECKING:
    import polars as pl

MOST = 36
KINDS = {"held out": LIGHT["grey"], "normal": LIGHT["teal"], "anomaly": LIGHT["red"]}
METRICS = {"F1": LIGHT["blue"], "precision": LIGHT["amber"], "recall": LIGHT["teal"]}


@dataclass(frozen=True)
class Explored:
    """Levels of one model to move a threshold over, thinned to what a picture shows; every one is exact.

    Attributes:
        labels: texts of the levels. days: from the first to the last test unit, None where not known.
        marks: words → level: the threshold in force and where it is from, the oracle's, the model's own.
        start: the level in force.
    """

    model: str
    levels: Levels
    labels: Sequence[str]
    bins: Mapping[str, Sequence[float]]
    marks: Mapping[str, int]
    start: int
    days: float | None

    def as_data(self) -> dict[str, Any]:
        """What the page moves over."""
        ints = {name: [round(float(v), 3) for v in getattr(self.levels, name)] for name in ("tp", "fp")}
        return {
            "model": self.model,
            "labels": list(self.labels),
            **ints,
            "bins": dict(self.bins),
            "marks": dict(self.marks),
            "anomalies": round(self.levels.anomalies, 3),
            "normal": round(self.levels.normal, 3),
            "start": self.start,
            "days": self.days,
        }


def explored(
    model: str, threshold: Mapping[str, Any], units: pl.DataFrame, scores: pl.DataFrame, most: int = MOST
) -> Explored:
    """Levels of a run.

    Args:
        threshold: of the record. units: those that the headline counts. scores: all stored ones.
    """
    whole = Levels.of(units)
    chosen = float(threshold.get("exact", threshold.get("value") or 0.0))
    named = {f"{threshold['source']}, in force": chosen, "oracle": whole.oracle}
    if threshold.get("own") is not None:
        named["the model's own"] = float(threshold["own"])
    levels = whole.thinned(most, named.values())
    marks = {name: max(levels.at(value), 0) for name, value in named.items()}
    held = scores.filter((scores["part"] == "held_out") & scores["score"].is_not_null())
    parts = {
        "held out": held,
        "normal": units.filter(units["label"] == 0),
        "anomaly": units.filter(units["label"] == 1),
    }
    bins = {kind: binned(part["score"], part["weight"], levels.values) for kind, part in parts.items()}
    labels = labels_of(levels.values.tolist())
    return Explored(model, levels, labels, bins, marks, max(levels.at(chosen), 0), days_of(units))


def days_of(units: pl.DataFrame) -> float | None:
    """Days from the first to the last unit; None where times are not known, or all is one moment."""
    if not {"first_time", "last_time"} <= set(units.columns):
        return None
    first, last = units["first_time"].min(), units["last_time"].max()
    if not isinstance(first, int) or not isinstance(last, int) or last <= first:
        return None
    return (last - first) / 86_400e6


def threshold(one: Explored) -> Figure:
    """Histogram above, sweep below, over the same levels."""
    f1, level = one.levels.f1[one.start], one.labels[one.start]
    best = one.levels.f1.max()
    x = {
        "field": "level",
        "type": "ordinal",
        "sort": {"field": "at", "op": "min"},
        "axis": {"labelOverlap": "greedy", "labelAngle": 0, "labelSeparation": 6},
    }
    return Figure(
        "threshold",
        "Scores, and what each threshold makes of them",
        f"{one.model}: at {level} F1 is {number(float(f1))}; the best, by labels, gives {number(float(best))}. "
        "A unit alarms where its score is above the level; a bar holds the scores above the level to its left "
        "and up to its own, so that bars are not equally wide.",
        {
            "vconcat": [_histogram(x), _sweep(x)],
            "spacing": 8,
            "resolve": {"scale": {"x": "shared", "color": "independent", "strokeDash": "independent"}},
        },
        {
            "bins": bin_rows(one),
            "sweep": sweep_rows(one),
            "line": [{"level": level, "at": one.start}],
            "marks": mark_rows(one),
        },
        [
            {
                "threshold": label,
                "F1": row["F1"],
                "precision": row["precision"],
                "recall": row["recall"],
                "true alarms": row["tp"],
                "false alarms": row["fp"],
            }
            for label, row in zip(one.labels, _table(one), strict=True)
        ],
        height=None,
    )


def bin_rows(one: Explored) -> list[dict[str, Any]]:
    """A row a bar that is not empty."""
    return [
        {"level": label, "at": at, "kind": kind, "units": count}
        for kind, counts in one.bins.items()
        for at, (label, count) in enumerate(zip(one.labels, counts, strict=True))
    ]


def sweep_rows(one: Explored) -> list[dict[str, Any]]:
    """A row a metric and level; no precision where nothing alarms."""
    return [
        {"level": label, "at": at, "metric": metric, "value": row[metric]}
        for at, (label, row) in enumerate(zip(one.labels, _table(one), strict=True))
        for metric in METRICS
        if row[metric] is not None
    ]


def mark_rows(one: Explored) -> list[dict[str, Any]]:
    """A row a marked level; marks of one level share it."""
    levels: dict[int, list[str]] = {}
    for name, at in one.marks.items():
        levels.setdefault(at, []).append(name.partition(",")[0])
    return [{"level": one.labels[at], "at": at, "mark": " = ".join(names)} for at, names in levels.items()]


def _table(one: Explored) -> list[dict[str, float | None]]:
    levels = one.levels
    columns = zip(levels.f1, levels.precision, levels.recall, levels.tp, levels.fp, strict=True)
    names = ("F1", "precision", "recall", "tp", "fp")
    rows = [[round(float(v), 4) for v in row] for row in columns]
    return [
        {**dict(zip(names, row, strict=True)), "precision": row[1] if alarms else None}
        for row, alarms in zip(rows, levels.tp + levels.fp > 0, strict=True)
    ]


def _line(x: Mapping[str, Any]) -> dict[str, Any]:
    mark = {"type": "rule", "strokeWidth": 2, "color": LIGHT["ink"]}
    return {"data": {"name": "line"}, "mark": mark, "encoding": {"x": {**x, "bandPosition": 1}}}


def _histogram(x: Mapping[str, Any]) -> dict[str, Any]:
    colour = {"domain": list(KINDS), "range": list(KINDS.values())}
    bars: dict[str, Any] = {
        "data": {"name": "bins"},
        "mark": {"type": "bar"},
        "encoding": {
            "x": {**x, "title": None, "axis": {"labels": False, "ticks": False}},
            "y": {
                "field": "units",
                "type": "quantitative",
                "title": "units (symlog)",
                "stack": None,
                "scale": {"type": "symlog"},
                "axis": {"tickCount": 4},
            },
            "xOffset": {"field": "kind", "sort": list(KINDS)},
            "color": {"field": "kind", "type": "nominal", "title": None, "scale": colour, "sort": list(KINDS)},
            "tooltip": [{"field": "kind"}, {"field": "level", "title": "scores up to"}, {"field": "units"}],
        },
    }
    return {"width": 600, "height": 150, "layer": [bars, _line(bars["encoding"]["x"])]}


def _sweep(x: Mapping[str, Any]) -> dict[str, Any]:
    colour = {"domain": list(METRICS), "range": list(METRICS.values())}
    stroke = {"symbolType": "stroke", "symbolSize": 300}
    lines = {
        "data": {"name": "sweep"},
        "mark": {"type": "line", "point": {"size": 26}},
        "encoding": {
            "x": {**x, "title": "threshold", "bandPosition": 1},
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": None,
                "scale": {"domain": [0, 1]},
                "axis": {"tickCount": 5},
            },
            "color": {"field": "metric", "type": "nominal", "title": None, "scale": colour, "legend": stroke},
            "strokeDash": {
                "field": "metric",
                "type": "nominal",
                "title": None,
                "legend": stroke,
                "scale": {"domain": list(METRICS), "range": [[1, 0], [6, 3], [2, 2]]},
            },
            "tooltip": [{"field": "level", "title": "threshold"}, {"field": "metric"}, {"field": "value"}],
        },
    }
    marks = {
        "data": {"name": "marks"},
        "encoding": {"x": {**x, "title": "threshold", "bandPosition": 1}},
        "layer": [
            {"mark": {"type": "rule", "strokeDash": [3, 3], "color": LIGHT["grey"]}},
            {
                "mark": {"type": "text", "align": "left", "baseline": "bottom", "dx": 4, "fontSize": 11},
                "encoding": {"text": {"field": "mark"}, "y": {"value": 158}},
            },
        ],
    }
    return {"width": 600, "height": 160, "layer": [lines, marks, _line({**x, "title": "threshold"})]}
