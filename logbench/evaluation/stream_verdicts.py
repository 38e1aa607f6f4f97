"""Verdicts of a stream from its stored scores: each slice has the threshold that held when it was tested."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ..api.protocol import EvaluationProtocol
from .protocol_rules import alarm, apply_protocol_rules
from .threshold_traits import ThresholdTraits
from .unit_counts import counts_of
from .verdicts import Decision, decide


def decide_stream(
    scored: pl.DataFrame,
    protocol: EvaluationProtocol,
    own: ThresholdTraits,
    thresholds: Sequence[float],
    *,
    short_limit: int,
) -> Decision:
    """See `verdicts.decide`. The threshold of the first slice is chosen again, those of later ones are given.

    Args:
        scored: with `slice` (Int32, from 1), null for held-out units, which are as the first slice met them.
        thresholds: of each slice.
    """
    begin = scored.filter(pl.col("slice").is_null() | (pl.col("slice") == 1))
    first = decide(begin, protocol, own, short_limit=short_limit)
    by_slice = {1: float(first.threshold["exact"]), **dict(enumerate(thresholds[1:], 2))}
    frame = apply_protocol_rules(scored, protocol, short_limit, own)
    above = pl.col("slice").fill_null(1).replace_strict(by_slice, return_dtype=pl.Float64)
    frame = frame.with_columns(verdict=alarm(above))
    test = frame.filter(pl.col("part") == "test")
    return Decision(frame, first.threshold, {**counts_of(test), "short_limit": short_limit})
