"""Reliability diagram: how many units are anomalous where the model says so many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..theme import CATEGORIES, LIGHT
from .figure import Figure, number

if TYPE_CHECKING:
    import polars as pl

BINS = 10


def reliability_bins(units: pl.DataFrame, bins: int = BINS) -> list[dict[str, float]]:
    """Of each bin of scores from 0 to 1 that has units: mean `score`, share of anomalies `share`, and `weight`.

    Args:
        units: `label`, `score` and `weight`; empty where a score is no probability.
    """
    import polars as pl

    if not units["score"].is_between(0, 1).all():
        return []
    weight = pl.col("weight")
    binned = (
        units.group_by(bin=(pl.col("score") * bins).floor().clip(0, bins - 1))
        .agg(
            score=(pl.col("score") * weight).sum() / weight.sum(),
            share=weight.filter(pl.col("label") == 1).sum() / weight.sum(),
            weight=weight.sum(),
        )
        .sort("bin")
    )
    return binned.drop("bin").to_dicts()


def reliability(models: Sequence[tuple[str, pl.DataFrame]], bins: int = BINS) -> Figure | None:
    """A point a model and bin; None where no model's scores are probabilities."""
    found: dict[str, list[dict[str, Any]]] = {
        model: each for model, units in models if (each := reliability_bins(units, bins))
    }
    if not found:
        return None
    rows: list[dict[str, Any]] = [{"model": model, **{name: round(value, 4) for name, value in row.items()}}
            for model, each in found.items() for row in each]  # fmt: skip
    off = {
        model: sum(row["weight"] * abs(row["score"] - row["share"]) for row in each)
        / sum(row["weight"] for row in each)
        for model, each in found.items()
    }
    best = min(off, key=lambda model: off[model])
    left = [model for model, _ in models if model not in found]
    others = f" No probabilities: {', '.join(left)}." if left else ""
    sides = {
        "x": {"field": "score", "type": "quantitative", "title": "mean score", "scale": {"domain": [0, 1]}},
        "y": {
            "field": "share",
            "type": "quantitative",
            "title": "share of anomalies",
            "scale": {"domain": [0, 1]},
        },
    }
    colour = {"field": "model", "type": "nominal", "title": None,
              "scale": {"domain": list(found), "range": CATEGORIES[: len(found)]}}  # fmt: skip
    return Figure(
        "reliability",
        "Reliability: what scores say, and what is so",
        f"{best} is closest: {number(off[best])} from the diagonal on average. Above it anomalies are more "
        "frequent than the score says, below it less. Most units may lie in one bin: a point's size is their "
        f"number.{others}",
        {
            "layer": [
                {
                    "data": {"name": "diagonal"},
                    "mark": {"type": "line", "strokeDash": [4, 4], "color": LIGHT["grey"]},
                    "encoding": sides,
                },
                {
                    "data": {"name": "bins"},
                    "mark": {"type": "point", "filled": True, "opacity": 0.8},
                    "encoding": {
                        **sides,
                        "color": colour,
                        "size": {"field": "weight", "type": "quantitative", "title": "units",
                                 "scale": {"type": "sqrt", "range": [20, 400]}},
                        "tooltip": [{"field": name} for name in ("model", "score", "share", "weight")],
                    },
                },
            ]
        },
        {"diagonal": [{"score": 0, "share": 0}, {"score": 1, "share": 1}], "bins": rows},
        rows,
        height=320,
    )  # fmt: skip
