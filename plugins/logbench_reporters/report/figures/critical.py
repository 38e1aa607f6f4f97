"""Critical difference: mean ranks over data sets, and models not told apart (Demšar, JMLR 7, 2006)."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import Any

from ..theme import LIGHT
from .figure import Figure, number
from .ranking import tie_layers

# Largest p of Friedman's test at which the models are taken to differ.
LEVEL = 0.05
# Space between brackets, as a share of the axis.
STEP = 0.03


def critical(ranked: Mapping[str, Any], metric: str = "f1") -> Figure:
    """A dot a model at its mean rank, brackets around models that are not told apart, and the critical difference.

    Args:
        ranked: `models` (the best first), `datasets`, `values` [models, data sets], `ranks` (means), `p_holm`,
            `friedman` (its `p`), `critical` and `tied`, see `Runs.across`.
    """
    models, means = ranked["models"], ranked["ranks"]
    differ = ranked["friedman"]["p"] <= LEVEL
    end = len(models) * (1 + STEP * (1 + len(ranked["tied"])))
    x = {
        "field": "rank",
        "type": "quantitative",
        "title": "mean rank",
        "scale": {"domain": [1, round(end, 2)], "nice": False},
        "axis": {"values": list(range(1, len(models) + 1)), "format": "d"},
    }
    names = {name: f"{name} {rank:.2f}" for name, rank in zip(models, means, strict=True)}
    y = {"field": "name", "type": "nominal", "sort": None, "title": None, "scale": {"domain": [*names.values()]}}
    rows = [{"name": names[name], "rank": rank} for name, rank in zip(models, means, strict=True)]
    reach = [{**rows[0], "to": min(means[0] + ranked["critical"], float(len(models)))}]
    ties = [{"name": names[one.pop("model")], **one} for one in _brackets(models, ranked["tied"])]
    layers = [
        _layer(
            "reach",
            {"type": "rule", "strokeWidth": 7, "opacity": 0.25, "color": LIGHT["teal"]},
            {"x": x, "x2": {"field": "to"}, "y": y},
        ),
        _layer("ranks", {"type": "point", "filled": True, "size": 90, "color": LIGHT["teal"]}, {"x": x, "y": y}),
        *tie_layers({**x, "field": "at"}, y),
    ]
    return Figure(
        "critical-difference",
        f"Mean ranks by {metric} over {len(ranked['datasets'])} data sets",
        _described(ranked, differ),
        {"layer": layers},
        {"ranks": rows, "reach": reach if differ else [], "ties": ties},
        _table(ranked),
        height=max(80, 26 * len(models)),
    )


def _layer(data: str, mark: Mapping[str, Any], encoding: Mapping[str, Any]) -> dict[str, Any]:
    return {"data": {"name": data}, "mark": mark, "encoding": encoding}


def _brackets(models: Sequence[str], tied: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """A row a model of each set, the sets side by side, right of the last rank."""
    return [
        {
            "model": name,
            "letter": letter,
            "at": round(len(models) * (1 + STEP * (1 + column)), 3),
            "tied": f"not told apart: {', '.join(group)}",
        }
        for column, (group, letter) in enumerate(zip(tied, string.ascii_letters, strict=False))
        for name in group
    ]


def _described(ranked: Mapping[str, Any], differ: bool) -> str:
    sets, p = len(ranked["datasets"]), ranked["friedman"]["p"]
    names = ", ".join(ranked["datasets"])
    said = f"Each data set is one observation: {names}. Friedman's test (Iman & Davenport): p {p:.2g}"
    if not differ:
        few = f"; {sets} data sets could hardly show a difference" if sets < 5 else ""
        return f"{said}, so no model is told from another{few}."
    return (
        f"{said}. Brackets join models whose mean ranks differ by less than {number(ranked['critical'], 2)} "
        "(Nemenyi), the bar behind the first model."
    )


def _table(ranked: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "model": name,
            "mean rank": round(ranked["ranks"][at], 3),
            "p against the first, Holm": ranked["p_holm"][at] if at else None,
            **{data: number(ranked["values"][at][n]) for n, data in enumerate(ranked["datasets"])},
        }
        for at, name in enumerate(ranked["models"])
    ]
