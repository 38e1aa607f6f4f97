"""Units by their scores: what every figure of a ranking is counted from."""

from __future__ import annotations

import polars as pl


def steps(units: pl.DataFrame) -> pl.DataFrame:
    """Weight of all `units` of each score, of `anomalies` and of `normal` ones, Float64, the highest score first.

    Equal scores are one step, so that infinite ones are only first or last.
    """
    weight = pl.col("weight")
    return (
        units.group_by(rank=pl.col("score").rank("dense"))
        .agg(
            units=weight.sum(),
            anomalies=weight.filter(pl.col("label") == 1).sum(),
            normal=weight.filter(pl.col("label") == 0).sum(),
        )
        .sort("rank", descending=True)
    )
