"""The models on every data set and protocol that the folder has: ranks and figures, never one table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from logbench import figures

from ..theme import CATEGORIES, SHAPES
from .figure import Figure, number

# Columns, and models, on the page.
MOST_COLUMNS, MOST_MODELS = 6, 9


def across(
    records: Sequence[Mapping[str, Any]], models: Sequence[str], metric: str = "f1", lower: bool = False
) -> Figure | None:
    """A column a data set and protocol with two of the models or more; None where there is but one column.

    Args:
        records: of the whole folder. models: which ones, the best of the page first.
    """
    found = _values(records, models, metric)
    columns = sorted((column for column, of in found.items() if len(of) > 1), key=lambda column: column[0])
    columns = columns[:MOST_COLUMNS]
    if len(columns) < 2:
        return None
    names = _names(columns)
    shown = [model for model in models if sum(model in found[column] for column in columns) > 1][:MOST_MODELS]
    rows = [
        row
        for column, name in zip(columns, names, strict=True)
        for row in _ranked(name, {model: found[column][model] for model in shown if model in found[column]}, lower)
    ]
    if not rows or not shown:
        return None
    firsts = {name: [row["model"] for row in rows if row["on"] == name and row["rank"] == 1] for name in names}
    leaders = "; ".join(f"{name}: {', '.join(first)}" for name, first in firsts.items())
    return Figure(
        "across",
        "Ranks on each data set and protocol",
        f"First on {leaders}. Figures of two columns are never compared, only the order of the models.",
        {"data": {"name": "ranks"}, "layer": _layers(shown, metric)},
        {"ranks": rows},
        [{"model": model, **{name: _cell(rows, model, name) for name in names}} for model in shown],
        height=max(140, 30 * len(shown)),
    )


def _values(
    records: Sequence[Mapping[str, Any]], models: Sequence[str], metric: str
) -> dict[tuple[str, str], dict[str, list[float]]]:
    """Data set and protocol → model → its figures."""
    found: dict[tuple[str, str], dict[str, list[float]]] = {}
    for record in records:
        value = figures(record).get(metric) if record["status"] == "ok" and record["metrics"] else None
        if value is not None and record["model"] in models:
            column = (str(record["dataset"]["name"]), _key(record))
            found.setdefault(column, {}).setdefault(record["model"], []).append(value)
    return found


def _ranked(name: str, found: Mapping[str, Sequence[float]], lower: bool) -> list[dict[str, Any]]:
    """A row a model of a column; equal figures share a rank."""
    means = {model: round(fmean(values), 4) for model, values in found.items()}
    return [
        {
            "on": name,
            "model": model,
            "value": value,
            "rank": 1 + sum((other < value) if lower else (other > value) for other in means.values()),
        }
        for model, value in means.items()
    ]


def _layers(shown: Sequence[str], metric: str) -> list[dict[str, Any]]:
    model = {"field": "model", "type": "nominal", "title": None}
    shapes = [SHAPES[at % len(SHAPES)] for at in range(len(shown))]
    encoding = {
        "x": {
            "field": "on",
            "type": "nominal",
            "sort": None,
            "title": None,
            "axis": {"labelAngle": 0, "labelLimit": 110, "labelExpr": "split(datum.label, ', ')"},
        },
        "y": {
            "field": "rank",
            "type": "quantitative",
            "scale": {"reverse": True, "zero": False, "nice": False, "padding": 12},
            "axis": {"tickMinStep": 1, "grid": False},
        },
        "color": {**model, "scale": {"domain": [*shown], "range": CATEGORIES[: len(shown)]}},
        "tooltip": [{"field": "model"}, {"field": "on"}, {"field": "value", "title": metric}, {"field": "rank"}],
    }
    shape = {**model, "scale": {"domain": [*shown], "range": shapes}}
    return [
        {"mark": {"type": "line", "strokeWidth": 2}, "encoding": encoding},
        {"mark": {"type": "point", "filled": True, "size": 90}, "encoding": {**encoding, "shape": shape}},
    ]


def one_protocol_each(
    records: Sequence[Mapping[str, Any]], page: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Runs with figures, of each data set those of one protocol and the same files.

    The protocol is the page's, else that under which most of its models ran.

    Args:
        records: of the whole folder. page: the page's own.
    """
    own, models = _key(page[0]), {record["model"] for record in page}
    found: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for record in records:
        if record["status"] == "ok" and record["metrics"] and record["model"] in models:
            found.setdefault(record["dataset"]["name"], {}).setdefault(_data_key(record), []).append(record)

    def fits(pair: tuple[str, list[Mapping[str, Any]]]) -> tuple[bool, int]:
        return _key(pair[1][0]) == own, len({record["model"] for record in pair[1]})

    return [record for protocols in found.values() for record in max(protocols.items(), key=fits)[1]]


def _key(record: Mapping[str, Any]) -> str:
    return json.dumps(_protocol(record), sort_keys=True, default=str)


def _data_key(record: Mapping[str, Any]) -> str:
    return f"{record['dataset'].get('digest')} {_key(record)}"


def _cell(rows: Sequence[Mapping[str, Any]], model: str, name: str) -> str:
    row = next((row for row in rows if row["model"] == model and row["on"] == name), None)
    return "–" if row is None else f"{number(row['value'])} (rank {row['rank']})"


def _protocol(record: Mapping[str, Any]) -> dict[str, Any]:
    """Its fields but for those that vary within a column."""
    return {name: value for name, value in record["protocol"].items() if name not in {"hash", "split_seed"}}


def _names(columns: Sequence[tuple[str, str]]) -> list[str]:
    """Data set, and the fields in which protocols of the same data set differ, three at most."""
    protocols = [json.loads(protocol) for _, protocol in columns]
    names = []
    for (data, _), own in zip(columns, protocols, strict=True):
        others = [other for (name, _), other in zip(columns, protocols, strict=True) if name == data]
        fields = [field for field in own if any(other.get(field) != own[field] for other in others)]
        names.append(data + "".join(f", {field} {own[field]}" for field in fields[:3]))
    return names
