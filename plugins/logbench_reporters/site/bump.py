"""How ranks change with the protocol: a line a model over the protocols of one data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..report.figures.figure import Figure, number
from ..report.theme import CATEGORIES, DASHES, SHAPES
from .board import Table

# Columns and lines that can still be read.
MOST_PROTOCOLS, MOST_MODELS = 10, 20
# Pixels between two protocols, and beside the first and the last one, for the models' names.
STEP, SIDE = 150, 130


def common(tables: Sequence[Table]) -> tuple[list[Table], list[str]]:
    """Protocols with at least half of the models, and the models that all of these have: only they are ranked.

    Args:
        tables: of one data set.
    """
    best = {table.key: table.best() for table in tables}
    every = {model for of in best.values() for model in of}
    kept = [table for table in tables if 2 * len(best[table.key]) >= len(every)][:MOST_PROTOCOLS]
    models = [model for model in best[kept[0].key] if all(model in best[one.key] for one in kept)] if kept else []
    return kept, models[:MOST_MODELS]


def ranks(tables: Sequence[Table], models: Sequence[str]) -> dict[str, list[float]]:
    """Model → its rank under each protocol among these models; equal values share the mean of their places."""
    made: dict[str, list[float]] = {model: [] for model in models}
    for table in tables:
        best = table.best()
        values = {model: best[model].value or 0.0 for model in models}
        for model, value in values.items():
            better = sum((one < value) if table.lower else (one > value) for one in values.values())
            equal = sum(one == value for one in values.values())
            made[model].append(better + (equal + 1) / 2)
    return made


def bump(tables: Sequence[Table], metric: str = "f1") -> Figure | None:
    """The figure; None where fewer than two protocols have two models in common.

    Args:
        tables: of one data set, label-free ones.
    """
    kept, models = common(tables)
    if len(kept) < 2 or len(models) < 2:
        return None
    names, placed = _distinct([table.label for table in kept]), ranks(kept, models)
    rows = [
        {"protocol": name, "model": model, "rank": placed[model][at]}
        for at, name in enumerate(names)
        for model in models
    ]
    table = [
        {"model": model, **{name: _cell(placed[model][at], kept[at], model) for at, name in enumerate(names)}}
        for model in models
    ]
    return Figure(
        "ranks",
        f"Ranks of {len(models)} models by {metric} under {len(kept)} protocols",
        described(names, placed),
        {"layer": _layers(names, models)},
        {"rows": rows, "first": _ends(names, placed, 0), "last": _ends(names, placed, -1)},
        table,
        height=34 * max(len(models), 3),
        width=2 * SIDE + STEP * (len(names) - 1),
    )


def _ends(names: Sequence[str], placed: Mapping[str, Sequence[float]], at: int) -> list[dict[str, Any]]:
    """Names of the models beside their first or last point; those of one rank in one text."""
    ends: dict[float, list[str]] = {}
    for model, of in placed.items():
        ends.setdefault(of[at], []).append(model)
    return [{"protocol": names[at], "rank": rank, "text": ", ".join(of)} for rank, of in ends.items()]


def _layers(names: Sequence[str], models: Sequence[str]) -> list[dict[str, Any]]:
    number_of = range(len(models))
    ranges = {
        "color": [CATEGORIES[at % len(CATEGORIES)] for at in number_of],
        "strokeDash": [DASHES[at // len(CATEGORIES) % len(DASHES)] for at in number_of],
        "shape": [SHAPES[at % len(SHAPES)] for at in number_of],
    }
    looks = {
        name: {"field": "model", "type": "nominal", "legend": None, "scale": {"domain": [*models], "range": of}}
        for name, of in ranges.items()
    }
    place = {"x": _x(names), "y": _y(len(models))}
    text = {"type": "text", "baseline": "middle", "limit": SIDE - 20}
    lines = {**place, "color": looks["color"], "strokeDash": looks["strokeDash"]}
    points = {**place, "color": looks["color"], "shape": looks["shape"]}
    texts = {**place, "text": {"field": "text"}}
    return [
        _layer("rows", {"type": "line", "strokeWidth": 2.5}, lines),
        _layer("rows", {"type": "point", "filled": True, "size": 110}, points),
        _layer("first", {**text, "align": "right", "dx": -12}, texts),
        _layer("last", {**text, "align": "left", "dx": 12}, texts),
    ]


def _layer(data: str, mark: Mapping[str, Any], encoding: Mapping[str, Any]) -> dict[str, Any]:
    return {"data": {"name": data}, "mark": mark, "encoding": encoding}


def _x(names: Sequence[str]) -> dict[str, Any]:
    return {
        "field": "protocol",
        "type": "ordinal",
        "title": None,
        "scale": {"type": "point", "domain": [*names], "padding": SIDE / STEP},
        "axis": {"labelAngle": 0, "labelPadding": 8, "labelExpr": "split(datum.label, ', ')", "labelLimit": STEP},
    }


def _y(models: int) -> dict[str, Any]:
    return {
        "field": "rank",
        "type": "quantitative",
        "title": "rank",
        "scale": {"domain": [1, models], "reverse": True, "zero": False, "nice": False, "padding": 12},
        "axis": {"values": list(range(1, models + 1)), "format": "d", "grid": False},
    }


def described(names: Sequence[str], placed: Mapping[str, Sequence[float]]) -> str:
    """Who is first under how many protocols, and who moves most."""
    firsts: dict[str, int] = {}
    for at in range(len(names)):
        for model, of in placed.items():
            if of[at] == min(other[at] for other in placed.values()):
                firsts[model] = firsts.get(model, 0) + 1
    order = sorted(firsts, key=lambda model: -firsts[model])
    leaders = ", ".join(f"{model} under {firsts[model]} of {len(names)}" for model in order)
    mover = max(placed, key=lambda model: max(placed[model]) - min(placed[model]))
    low, high = min(placed[mover]), max(placed[mover])
    moved = f"{mover} moves most, from rank {low:g} to {high:g}" if high > low else "no rank changes"
    return f"First: {leaders}; {moved}."


def _cell(rank: float, table: Table, model: str) -> str:
    return f"{rank:g} ({number(table.best()[model].value)})"


def _distinct(labels: Sequence[str]) -> list[str]:
    """Labels without the fields that all of them share."""
    parts = [one.split(", ") for one in labels]
    shared = set(parts[0]).intersection(*parts[1:])
    made = [", ".join(part for part in one if part not in shared) or "these" for one in parts]
    return made if len(set(made)) == len(made) else list(labels)
