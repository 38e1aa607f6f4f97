"""A model's metric by dose of each disturbance, with intervals, beside the best rule under the same dose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from logbench import figures, runs_interval

from ...rows import best_row, rule_rows
from ..theme import LIGHT
from .each_model import all_else
from .figure import Figure, number

Record = Mapping[str, Any]
# Fields of the protocol that disturb, and those of labels among them.
LABELS = ("label_noise", "test_label_noise")
FIELDS = ("unstable", "unstable_dose", "unstable_in", *LABELS)
# Fewest doses of a curve, 0 among them.
LEAST = 2
Point = dict[str, Any]


def disturbance(record: Record) -> tuple[str, float]:
    """What a run disturbs, and its dose; an empty name for none.

    Examples:
        >>> disturbance({"protocol": {"unstable": "swap", "unstable_dose": 0.2, "unstable_in": "both"}})
        ('swap, in training too', 0.2)
    """
    protocol = record["protocol"]
    if protocol.get("unstable", "none") != "none" and protocol["unstable_dose"]:
        where = ", in training too" if protocol["unstable_in"] == "both" else ""
        return f"{protocol['unstable']}{where}", float(protocol["unstable_dose"])
    wrong = {name: float(protocol.get(name) or 0) for name in LABELS}
    return ", ".join(name.replace("_", " ") for name, dose in wrong.items() if dose), max(wrong.values())


def disturbed(
    model: str, records: Sequence[Record], page: Sequence[Record], metric: str, lower: bool
) -> Figure | None:
    """By dose of each disturbance, a panel each, for a model of which the folder has disturbed runs.

    All else is as in the page's runs.

    Args:
        records: of the whole folder. page: the page's own.
    """
    alike = {all_else(record, FIELDS) for record in page if record["model"] == model}
    good = [one for one in records if one["status"] == "ok" and one["metrics"] and one["model"] == model]
    runs: dict[str, dict[float, list[Record]]] = {}
    for record in good:
        if all_else(record, FIELDS) in alike:
            kind, dose = disturbance(record)
            runs.setdefault(kind, {}).setdefault(dose, []).append(record)
    plain = runs.pop("", {})
    rows = [
        row
        for kind, doses in runs.items()
        for dose, some in sorted({**plain, **doses}.items())
        if (row := _point(kind, dose, some, metric, lower)) is not None
    ]
    kinds = [kind for kind in runs if sum(row["kind"] == kind for row in rows) >= LEAST]
    if not kinds:
        return None
    rows = [row for row in rows if row["kind"] in kinds]
    return Figure(
        f"disturbed-{model}",
        f"{metric} of {model} by dose of disturbance",
        f"{_said(rows, kinds, lower)} Bands are 95% intervals, dashes the best rule without a model under the "
        "same dose. A dose is a share of units, or of labels, not of harm.",
        {
            "data": {"name": "doses"},
            "facet": {"field": "kind", "type": "nominal", "title": None},
            "columns": 3,
            "spec": {"width": 170, "height": 120, "layer": _layers(metric)},
        },
        {"doses": rows},
        rows,
        height=None,
    )


def _point(kind: str, dose: float, runs: Sequence[Record], metric: str, lower: bool) -> Point | None:
    every = [figures(run).get(metric) for run in runs]
    values = [value for value in every if value is not None]
    if not values:
        return None
    found = runs_interval(metric, runs, every)
    rule = best_row(rule_rows(runs, metric=metric), metric, lower)
    mean = fmean(values)
    low, high = found or (mean, mean)
    return {
        "kind": kind, "dose": dose, "value": round(mean, 4), "low": round(low, 4), "high": round(high, 4),
        "rule": None if rule is None else round(rule.metrics[metric] or 0.0, 4), "runs": len(values),
    }  # fmt: skip


def _said(rows: Sequence[Point], kinds: Sequence[str], lower: bool) -> str:
    """How far the model falls under each disturbance, and where it is worse than the rule."""
    said = []
    for kind in kinds:
        own = [row for row in rows if row["kind"] == kind]
        worse = [row["dose"] for row in own if row["rule"] is not None and (
            row["value"] > row["rule"] if lower else row["value"] < row["rule"])]  # fmt: skip
        under = f", worse than the rule at {100 * min(worse):g}%" if worse else ""
        said.append(
            f"{kind}: {number(own[0]['value'])} to {number(own[-1]['value'])} at {100 * own[-1]['dose']:g}%{under}"
        )
    return "; ".join(said) + "."


def _layers(metric: str) -> list[dict[str, Any]]:
    dose = {"field": "dose", "type": "quantitative", "title": "dose", "axis": {"format": "%", "tickCount": 4}}
    value = {"field": "value", "type": "quantitative", "title": metric}
    tooltip = [{"field": name} for name in ("kind", "dose", "value", "low", "high", "rule", "runs")]
    band = {"x": dose, "y": {"field": "low", "type": "quantitative", "title": metric}, "y2": {"field": "high"}}
    rule = {"x": dose, "y": {"field": "rule", "type": "quantitative", "title": metric}}
    own = {"x": dose, "y": value, "tooltip": tooltip}
    return [
        {"mark": {"type": "area", "opacity": 0.2, "color": LIGHT["teal"]}, "encoding": band},
        {"mark": {"type": "line", "strokeDash": [6, 3], "color": LIGHT["amber"]}, "encoding": rule},
        {"mark": {"type": "line", "point": {"color": LIGHT["teal"]}, "color": LIGHT["teal"]}, "encoding": own},
    ]
