"""Units by their scores: what every figure of a ranking is counted from."""

from __future__ import annotations

import polars as pl

WEIGHTS = ("units", "anomalies", "normal")


def steps(units: pl.DataFrame) -> pl.DataFrame:
    """Weight of all `units` of each score, of `anomalies` and of `normal` ones, Float64, the highest score first.

    Equal scores are one step, so that infinite ones are only first or last.
    """
    weight, label = pl.col("weight"), pl.col("label")
    if (units["weight"] == units["weight"].round()).all():  # such sums are exact in any order
        weights = (weight, *(pl.when(label == which).then(weight).otherwise(0.0) for which in (1, 0)))
        asked = units.lazy().select("score", **dict(zip(WEIGHTS, weights, strict=True)))
        found = asked.group_by("score").agg(pl.all().sum()).sort("score", descending=True).collect()
    else:
        parts = (weight.sum(), *(weight.filter(label == which).sum() for which in (1, 0)))
        ranked = units.group_by(rank=pl.col("score").rank("dense")).agg(**dict(zip(WEIGHTS, parts, strict=True)))
        found = ranked.sort("rank", descending=True)
    return found.select(WEIGHTS)
