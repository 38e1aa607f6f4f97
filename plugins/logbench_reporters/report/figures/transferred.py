"""A model trained on one data set and tested on others, by units of the target, with the source and without it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from logbench import figures

from ...rows import best_row, rule_rows
from ..theme import CATEGORIES
from .figure import Figure, number

Record = Mapping[str, Any]
# Fields of the protocol that say what of the target trains; of another `target_reserve` other units are tested.
FIELDS = ("target_units", "target_alone")
# What trains.
SOURCE, ALONE, RULE = "with the source", "target units alone", "best rule"


def transferred(
    model: str, records: Sequence[Record], page: Sequence[Record], metric: str, lower: bool
) -> Figure | None:
    """By units of the target, a panel each target, for a model that another data set trained.

    Args:
        records: of the whole folder. page: the page's own.
    """
    alike = {_else(one) for one in page if one["model"] == model and one["dataset"].get("source")}
    cells: dict[tuple[str, int, bool], list[Record]] = {}
    for one in records:
        good = one["model"] == model and one["status"] == "ok" and one["metrics"] and one["dataset"].get("source")
        if good and _else(one) in alike:
            protocol = one["protocol"]
            cell = one["dataset"]["name"], int(protocol["target_units"]), bool(protocol["target_alone"])
            cells.setdefault(cell, []).append(one)
    rows = [row for cell, runs in sorted(cells.items()) for row in _rows(*cell, runs, metric, lower)]
    if not rows:
        return None
    shown = [SOURCE, ALONE, RULE]
    encoding = {
        "x": {"field": "units", "type": "ordinal", "title": "units of the target", "axis": {"labelAngle": 0}},
        "xOffset": {"field": "trained", "type": "nominal", "scale": {"domain": shown}},
        "y": {"field": "value", "type": "quantitative", "title": metric},
        "color": {"field": "trained", "type": "nominal", "title": None,
                  "scale": {"domain": shown, "range": CATEGORIES[: len(shown)]}},
        "shape": {"field": "trained", "type": "nominal", "title": None, "scale": {"domain": shown}},
        "tooltip": [{"field": name} for name in ("target", "units", "trained", "value", "runs")],
    }  # fmt: skip
    name = next(one["dataset"]["source"]["name"] for runs in cells.values() for one in runs)
    return Figure(
        f"transfer-{model}",
        f"{metric} of {model}, trained on {name}",
        f"{_said(rows)} Where both stand at one height, nothing was carried over.",
        {
            "data": {"name": "transfer"},
            "facet": {"field": "target", "type": "nominal", "title": None},
            "columns": 3,
            "spec": {"width": 170, "height": 140, "mark": {"type": "point", "filled": True, "size": 80},
                     "encoding": encoding},
        },
        {"transfer": rows},
        rows,
        height=None,
    )  # fmt: skip


def _rows(
    target: str, units: int, alone: bool, runs: Sequence[Record], metric: str, lower: bool
) -> list[dict[str, Any]]:
    values = [value for run in runs if (value := figures(run).get(metric)) is not None]
    head = {"target": target, "units": units, "runs": len(values)}
    rule = best_row(rule_rows(runs, metric=metric), metric, lower)
    found = [(ALONE if alone else SOURCE, fmean(values) if values else None)]
    if rule is not None and not alone:
        found.append((RULE, rule.metrics[metric]))
    return [{**head, "trained": of, "value": round(value, 4)} for of, value in found if value is not None]


def _said(rows: Sequence[Mapping[str, Any]]) -> str:
    """What each target has by units, with the source and without it."""
    said = []
    for row in rows:
        if row["trained"] == SOURCE:
            same = {other["trained"]: other["value"] for other in rows
                    if (other["target"], other["units"]) == (row["target"], row["units"])}  # fmt: skip
            alone = f", alone {number(same[ALONE])}" if ALONE in same else ""
            said.append(f"{row['target']}, {row['units']} units: {number(row['value'])}{alone}")
    return "; ".join(said) + "."


def _else(record: Record) -> str:
    """Source, options and protocol without what says how much of the target trains."""
    protocol = {name: of for name, of in record["protocol"].items() if name not in {*FIELDS, "hash", "split_seed"}}
    data, config = record["dataset"], {k: record["config"].get(k) for k in ("model", "parser", "embedding")}
    return json.dumps([data["source"], data.get("source_digest"), config, protocol], sort_keys=True, default=str)
