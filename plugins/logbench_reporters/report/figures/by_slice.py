"""A metric slice by slice of a stream, and below it how far each slice is from the training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..theme import CATEGORIES, DASHES, LIGHT
from .figure import Figure, number

Record = Mapping[str, Any]
# Models whose lines are drawn, the best ones.
MOST_MODELS = 9
# What is said of a model's row, by what it did between slices.
WORDS = {"kept": "as fitted", "refitted": "refitted", "updated": "online"}
DRIFT = {"unseen": "events with unseen keys", "distance": "distance to the training", "step": "step"}


def value_of_slice(one: Mapping[str, Any], unit: str, metric: str) -> float | None:
    """A metric of a slice; one of another evaluator as `evaluator.metric`. None where it has none."""
    evaluator, _, name = metric.rpartition(".")
    value: float | None = one.get("metrics", {}).get(evaluator or unit, {}).get(name)
    return value


def by_slice(records: Sequence[Record], unit: str, metric: str = "f1") -> Figure | None:
    """The figure; None where no run has slices.

    Args:
        records: of one data set and protocol, one a model, the best first. unit: what is scored.
    """
    known = [one for one in records if one.get("stream", {}).get("slices")][:MOST_MODELS]
    if not known:
        return None
    models = {f"{one['model']} ({WORDS[one['stream']['learning']]})": one["stream"]["slices"] for one in known}
    values = [
        {"model": name, "slice": at, "value": round(value, 4)}
        for name, slices in models.items()
        for at, one in enumerate(slices, 1)
        if (value := value_of_slice(one, unit, metric)) is not None
    ]
    slices = next(iter(models.values()))
    drift = [
        {"what": DRIFT[name], "slice": at, "value": round(one["drift"][name], 4)}
        for at, one in enumerate(slices, 1)
        for name in ("unseen", "distance")
        if one["drift"].get(name) is not None
    ]
    return Figure(
        "by-slice",
        f"{metric} slice by slice",
        _described(models, values, slices, metric),
        {
            "vconcat": [_lines([*models], metric), _drift()],
            "spacing": 8,
            "resolve": {"scale": {"color": "independent"}},
        },
        {"values": values, "drift": drift},
        _table(models, slices, unit, metric),
        height=None,
    )


def _described(
    models: Mapping[str, Any], values: Sequence[Mapping[str, Any]], slices: Sequence[Any], metric: str
) -> str:
    jumps = [(one["drift"].get("step") or 0.0, at) for at, one in enumerate(slices, 1)]
    largest, where = max(jumps)
    drift = f"The largest step of the data is at slice {where} (distance {number(largest, 2)})." if largest else ""
    said = []
    for name in models:
        own = {row["slice"]: row["value"] for row in values if row["model"] == name}
        if own:
            lowest = min(own, key=lambda at: own[at])
            begin, least, end = (number(own[at]) for at in (min(own), lowest, max(own)))
            said.append(f"{name} {begin} at first, lowest {least} at slice {lowest}, {end} at the end")
    return f"{metric} by slice, in order of time: {'; '.join(said)}. {drift}".strip()


def _x(title: str | None) -> dict[str, Any]:
    return {"field": "slice", "type": "ordinal", "title": title, "axis": {"labelAngle": 0}}


def _lines(models: Sequence[str], metric: str) -> dict[str, Any]:
    dashes = [DASHES[at % len(DASHES)] for at in range(len(models))]
    encoding = {
        "x": _x(None),
        "y": {"field": "value", "type": "quantitative", "title": metric},
        "color": {
            "field": "model", "type": "nominal", "title": None,
            "scale": {"domain": models, "range": CATEGORIES[: len(models)]},
            "legend": {"orient": "top", "columns": 2, "labelLimit": 280},
        },
        "strokeDash": {"field": "model", "type": "nominal", "legend": None,
                       "scale": {"domain": models, "range": dashes}},
        "tooltip": [{"field": name} for name in ("model", "slice", "value")],
    }  # fmt: skip
    mark = {"type": "line", "point": True, "strokeWidth": 2}
    return {"data": {"name": "values"}, "width": 600, "height": 220, "mark": mark, "encoding": encoding}


def _drift() -> dict[str, Any]:
    names = [DRIFT["unseen"], DRIFT["distance"]]
    encoding = {
        "x": _x("slice"),
        "y": {"field": "value", "type": "quantitative", "title": "drift", "scale": {"domain": [0, 1]}},
        "xOffset": {"field": "what", "type": "nominal"},
        "color": {
            "field": "what", "type": "nominal", "title": None,
            "scale": {"domain": names, "range": [LIGHT["amber"], LIGHT["grey"]]}, "legend": {"orient": "bottom"},
        },
        "tooltip": [{"field": name} for name in ("what", "slice", "value")],
    }  # fmt: skip
    return {"data": {"name": "drift"}, "width": 600, "height": 80, "mark": "bar", "encoding": encoding}


def _table(
    models: Mapping[str, Any], slices: Sequence[Mapping[str, Any]], unit: str, metric: str
) -> list[dict[str, Any]]:
    rows = []
    for at, one in enumerate(slices):
        values = {name: number(value_of_slice(own[at], unit, metric)) for name, own in models.items()}
        drift = {DRIFT[name]: number(one["drift"].get(name)) for name in DRIFT}
        rows.append({"slice": at + 1, "units": one["units"], "anomalies": one["anomalies"], **drift, **values})
    return rows
