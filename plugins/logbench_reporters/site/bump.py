"""How ranks change with the protocol: a line a model over the protocols of one data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..report.figures.figure import Figure, number
from ..report.theme import CATEGORIES, DASHES, SHAPES
from .board import Table

# Columns and lines that can still be read.
MOST_PROTOCOLS, MOST_MODELS = 10, 20
WIDTH = 900


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
        {
            "protocol": names[at],
            "model": model,
            "rank": placed[model][at],
            "text": number(table.best()[model].value),
        }
        for at, table in enumerate(kept)
        for model in models
    ]
    ends: dict[float, list[str]] = {}
    for model in models:
        ends.setdefault(placed[model][-1], []).append(model)
    labels = [{"protocol": names[-1], "rank": rank, "text": ", ".join(of)} for rank, of in ends.items()]
    colour = [CATEGORIES[at % len(CATEGORIES)] for at in range(len(models))]
    dash = [DASHES[at // len(CATEGORIES) % len(DASHES)] for at in range(len(models))]
    shape = [SHAPES[at % len(SHAPES)] for at in range(len(models))]
    x = {
        "field": "protocol",
        "type": "ordinal",
        "title": None,
        "scale": {"type": "point", "domain": names, "padding": max(0.31 * (len(names) - 1), 0.3)},
        "axis": {"labelAngle": 0, "labelPadding": 8, "labelExpr": "split(datum.label, ', ')", "labelLimit": 200},
    }
    y = {
        "field": "rank",
        "type": "quantitative",
        "title": "rank",
        "scale": {"domain": [1, len(models)], "reverse": True, "zero": False, "nice": False, "padding": 12},
        "axis": {"values": list(range(1, len(models) + 1)), "format": "d", "grid": False},
    }
    named = {"field": "model", "type": "nominal", "legend": None}
    paint = {**named, "scale": {"domain": models, "range": colour}}
    marks: dict[str, Any] = {
        "layer": [
            {
                "data": {"name": "rows"},
                "mark": {"type": "line", "strokeWidth": 2.5},
                "encoding": {
                    "x": x,
                    "y": y,
                    "color": paint,
                    "strokeDash": {**named, "scale": {"domain": models, "range": dash}},
                },
            },
            {
                "data": {"name": "rows"},
                "mark": {"type": "point", "filled": True, "size": 110},
                "encoding": {
                    "x": x,
                    "y": y,
                    "color": paint,
                    "shape": {**named, "scale": {"domain": models, "range": shape}},
                },
            },
            {
                "data": {"name": "labels"},
                "mark": {"type": "text", "align": "left", "dx": 12, "baseline": "middle", "limit": 170},
                "encoding": {"x": x, "y": y, "text": {"field": "text"}},
            },
        ]
    }
    table = [
        {"model": model, **{name: _cell(placed[model][at], kept[at], model) for at, name in enumerate(names)}}
        for model in models
    ]
    return Figure(
        "ranks",
        f"Ranks of {len(models)} models by {metric} under {len(kept)} protocols",
        described(names, placed),
        marks,
        {"rows": rows, "labels": labels},
        table,
        height=34 * max(len(models), 3),
        width=WIDTH,
    )


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
