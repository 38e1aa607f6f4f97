"""The protocol's rules for short units and unseen keys, and the verdict that a score gets under them."""

from __future__ import annotations

import polars as pl

from ..api.protocol import EvaluationProtocol
from ..base.errors import IncompatibleError
from .threshold_traits import ThresholdTraits

# The score of a short unit, by `protocol.short`.
FLAG = {"flag": float("inf"), "miss": float("-inf"), "drop": None}


def apply_protocol_rules(
    scored: pl.DataFrame, protocol: EvaluationProtocol, short_limit: int, own: ThresholdTraits
) -> pl.DataFrame:
    """Add `score` by the protocol's rules for unseen keys and short units, `short` and `flagged` (Boolean).

    `flagged` units alarm by a rule, whatever the threshold.

    Args:
        short_limit: units with fewer events are short, see `EvaluationProtocol.short_limit`.
        own: what the model's traits say: where it holds rules, its +∞ is their alarm.

    Raises:
        IncompatibleError: `unseen = "ignore"` where the model has no score without unseen keys.
    """
    score, event, strange = pl.col("raw"), pl.col("event"), pl.lit(False)
    if protocol.unseen == "ignore":
        if scored.filter(
            (pl.col("unseen") > 0) & pl.col("ignoring").is_null() & pl.col("raw").is_not_null()
        ).height:
            raise IncompatibleError("unseen = ignore: the model gives no score without unseen keys")
        score = pl.coalesce("ignoring", "raw")
        event = pl.coalesce("ignoring_event", "event")
    elif protocol.unseen == "anomalous":
        strange = pl.col("unseen") > 0
        score = pl.when(strange).then(float("inf")).otherwise(score)
    if own.holds_rules:
        strange = strange | (score == float("inf")).fill_null(False)
    short = pl.col("events") < short_limit
    return scored.with_columns(
        score=pl.when(short).then(pl.lit(FLAG[protocol.short], pl.Float64)).otherwise(score),
        decided_by=pl.when(short).then(pl.lit(-1, pl.Int64)).otherwise(event),
        short=short,
        flagged=pl.when(short).then(pl.lit(protocol.short == "flag")).otherwise(strange),
    )


def alarm(threshold: float | pl.Expr) -> pl.Expr:
    """The verdict of ruled units: a score above the threshold, or a rule; null where dropped."""
    known = pl.col("score").is_not_null()
    return pl.when(known).then(pl.col("flagged") | (pl.col("score") > threshold))
