"""Stage threshold: from raw scores to verdicts by the protocol, on a stored frame, without the model.

A scored frame has one row a unit, held-out and test: `part` (`held_out` | `test`), `unit`, `label` (Int8),
`weight`, `events` (length), `unseen` (events out of vocabulary), `sequence` (UInt32), `raw` (the model's score,
null for short units), `ignoring` (null where the model has none), `event` and `ignoring_event`; `unjudged` (events
that the model cannot judge, null where it judges all); and `count`
where a row stands for several units. Rescoring and the protocols table start from the same frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from ..api.protocol import EvaluationProtocol
from ..api.record_sections import DecidedThreshold, Source, UnitsDecided
from .distinct_units import distinct_units
from .protocol_rules import alarm, apply_protocol_rules
from .threshold_traits import ThresholdTraits
from .thresholds import choose, is_reliable
from .unit_counts import counts_of, number_of


@dataclass(frozen=True)
class Decision:
    """Units with `score` and `verdict`, and the threshold with what is known of it.

    Attributes:
        frame: the scored frame, held-out units too, with `score` (Float64, null where dropped), `verdict`
            (Boolean, null where dropped), `decided_by` (Int64, event index or −1) and `short` (Boolean).
        threshold: `value`, `exact` (as text, since JSON knows no infinity), `source`, `held_out` (units),
            `achieved` (share of held-out weight that alarms), `reliable`, `repeats`
            (held-out units that repeat a training sequence).
        counts: of test units: `labelled`, `scored`, `excluded` (by class), `short` and the `short_limit` below
            which they are, `unseen`, `unlabelled`.
    """

    frame: pl.DataFrame
    threshold: DecidedThreshold
    counts: UnitsDecided

    @property
    def units(self) -> pl.DataFrame:
        """The test units."""
        return self.frame.filter(pl.col("part") == "test")


def decide(
    scored: pl.DataFrame, protocol: EvaluationProtocol, own: ThresholdTraits, *, short_limit: int
) -> Decision:
    """Apply the protocol to raw scores.

    Args:
        scored: see the module. own: what the model's traits say of its threshold.
        short_limit: units with fewer events are short, see `EvaluationProtocol.short_limit`.

    Raises:
        IncompatibleError: see `thresholds.choose`.
    """
    frame = apply_protocol_rules(scored, protocol, short_limit, own)
    held = units_of_threshold(frame, protocol)
    known = frame.filter((pl.col("part") == "held_out") & pl.col("score").is_not_null() & (pl.col("label") >= 0))
    test = frame.filter(pl.col("part") == "test")
    labelled = test.filter((pl.col("label") >= 0) & pl.col("score").is_not_null())
    if protocol.duplicates == "unique" and protocol.threshold == "oracle":
        labelled = distinct_units(labelled)
    value, source = choose(held, known if protocol.threshold == "labelled" else labelled, protocol, own)
    described = _described(value, source, held.with_columns(verdict=alarm(value)), protocol.alpha)
    return Decision(
        frame.with_columns(verdict=alarm(value)), described, {**counts_of(test), "short_limit": short_limit}
    )


def units_of_threshold(frame: pl.DataFrame, protocol: EvaluationProtocol) -> pl.DataFrame:
    """The held-out units that a validation threshold is chosen on, of a frame with `score`.

    Known anomalies do not count into a rate of false alarms; under a budget of labels only known normal units do.
    """
    held = frame.filter((pl.col("part") == "held_out") & pl.col("score").is_not_null())
    if protocol.label_budget is not None:
        return held.filter(pl.col("label") == 0)
    return held.filter(pl.col("label") != 1) if protocol.content == "labelled" else held


def _described(value: float, source: Source, held: pl.DataFrame, alpha: float) -> DecidedThreshold:
    weight = float(held["weight"].sum())
    achieved = float(held.filter("verdict")["weight"].sum()) / weight if weight else None
    size = number_of(held)
    return {
        "value": value,
        "exact": repr(value),
        "source": source,
        "held_out": size,
        "achieved": achieved,
        "reliable": is_reliable(source, size, alpha),
        "repeats": int(held["repeats"].sum()) if "repeats" in held.columns else None,
    }
