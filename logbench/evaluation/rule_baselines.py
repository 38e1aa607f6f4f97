"""Rules that need no model, measured on the units that a model is measured on."""

from __future__ import annotations

import polars as pl

from ..data.scores import FIRST_ALARM

RULES = ("predict_all", "short", "unseen", "unseen_or_short")


def rule(units: pl.DataFrame, name: str) -> pl.DataFrame:
    """The same units with the score and verdict of a rule that needs no model (`RULES`).

    Units that the protocol drops stay dropped, so that the rule is measured on the same ones. Where within a unit
    a rule alarms is not known.
    """
    rules = {
        "predict_all": pl.lit(True),
        "short": pl.col("short"),
        "unseen": pl.col("unseen") > 0,
        "unseen_or_short": pl.col("short") | (pl.col("unseen") > 0),
    }
    kept = pl.col("score").is_not_null()
    lacking = [pl.lit(None, pl.Int64).alias(name) for name in FIRST_ALARM if name in units.columns]
    return units.with_columns(
        *lacking,
        verdict=pl.when(kept).then(rules[name]),
        score=pl.when(kept).then(rules[name].cast(pl.Float64)),
    )
