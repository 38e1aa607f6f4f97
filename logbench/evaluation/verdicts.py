"""Stage threshold: from raw scores to verdicts by the protocol, on a stored frame, without the model.

A scored frame has one row a unit, held-out and test: `part` (`held_out` | `test`), `unit`, `label` (Int8),
`weight`, `events` (length), `unseen` (events out of vocabulary), `sequence` (UInt32), `raw` (the model's score,
null for short units), `ignoring` (null where the model has none), `event` and `ignoring_event`; `unjudged` (events
that the model cannot judge, null where it judges all); and `count`
where a row stands for several units. Rescoring and the protocols table start from the same frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from ..api.protocol import EvaluationProtocol
from ..base.errors import IncompatibleError, PluginError
from .metrics import key_of
from .thresholds import ThresholdTraits, choose, is_reliable

FLAG = {"flag": float("inf"), "miss": float("-inf"), "drop": None}
RULES = ("predict_all", "short", "unseen", "unseen_or_short")


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
    threshold: dict[str, Any]
    counts: dict[str, Any]

    @property
    def units(self) -> pl.DataFrame:
        """The test units."""
        return self.frame.filter(pl.col("part") == "test")


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
    held = frame.filter((pl.col("part") == "held_out") & pl.col("score").is_not_null())
    if protocol.content == "labelled":  # alpha is a rate of false alarms: known anomalies do not count into it
        held = held.filter(pl.col("label") != 1)
    test = frame.filter(pl.col("part") == "test")
    labelled = test.filter((pl.col("label") >= 0) & pl.col("score").is_not_null())
    if protocol.duplicates == "unique" and protocol.threshold == "oracle":
        labelled = distinct_units(labelled)
    value, source = choose(held, labelled, protocol, own)
    described = _described(value, source, held.with_columns(verdict=alarm(value)), protocol.alpha)
    return Decision(
        frame.with_columns(verdict=alarm(value)), described, {**counts_of(test), "short_limit": short_limit}
    )


def alarm(threshold: float) -> pl.Expr:
    """The verdict of ruled units: a score above the threshold, or a rule; null where dropped."""
    known = pl.col("score").is_not_null()
    return pl.when(known).then(pl.col("flagged") | (pl.col("score") > threshold))


def _described(value: float, source: str, held: pl.DataFrame, alpha: float) -> dict[str, Any]:
    weight = float(held["weight"].sum())
    achieved = float(held.filter("verdict")["weight"].sum()) / weight if weight else None
    size = _number(held)
    return {
        "value": value,
        "exact": repr(value),
        "source": source,
        "held_out": size,
        "achieved": achieved,
        "reliable": is_reliable(source, size, alpha),
        "repeats": int(held["repeats"].sum()) if "repeats" in held.columns else None,
    }


def counts_of(units: pl.DataFrame) -> dict[str, Any]:
    """How many ruled units are `labelled`, `scored`, `excluded` (by class), `short`, `unseen`, `unlabelled`.

    And, where it is known, how many repeat a training sequence (`repeats`), and what the model cannot judge
    (`unjudged`: `events` `of` all those of units that are not short, and `units` none of whose events it judges).
    """
    labelled = units.filter(pl.col("label") >= 0)
    dropped = labelled.filter(pl.col("score").is_null())
    excluded = {
        "normal": _number(dropped.filter(pl.col("label") == 0)),
        "anomaly": _number(dropped.filter(pl.col("label") == 1)),
    }
    scored = _number(labelled) - _number(dropped)
    if scored + sum(excluded.values()) != _number(labelled):
        raise AssertionError("scored + excluded units must be all labelled ones")
    return {
        "labelled": _number(labelled),
        "scored": scored,
        "excluded": excluded,
        "short": _number(units.filter("short")),
        "unseen": _number(units.filter(pl.col("unseen") > 0)),
        **({"repeats": _number(units.filter("repeats"))} if "repeats" in units.columns else {}),
        "unlabelled": _number(units) - _number(labelled),
        **_unjudged(units),
    }


def _unjudged(units: pl.DataFrame) -> dict[str, Any]:
    """`unjudged`, see `counts_of`; nothing for a model that judges every event."""
    if "unjudged" not in units.columns or not units["unjudged"].count():
        return {}
    asked = units.filter(~pl.col("short"))
    nothing = asked.filter(pl.col("unjudged") >= pl.col("events"))
    return {
        "unjudged": {
            "events": int(asked["unjudged"].sum()),
            "of": int(asked["events"].sum()),
            "units": nothing.height,
        }
    }


def _number(units: pl.DataFrame) -> int:
    """Units, where a row may stand for several."""
    return int(units["count"].sum()) if "count" in units.columns else units.height


def rule(units: pl.DataFrame, name: str) -> pl.DataFrame:
    """The same units with the score and verdict of a rule that needs no model (`RULES`).

    Units that the protocol drops stay dropped, so that the rule is measured on the same ones.
    """
    rules = {
        "predict_all": pl.lit(True),
        "short": pl.col("short"),
        "unseen": pl.col("unseen") > 0,
        "unseen_or_short": pl.col("short") | (pl.col("unseen") > 0),
    }
    kept = pl.col("score").is_not_null()
    return units.with_columns(
        verdict=pl.when(kept).then(rules[name]), score=pl.when(kept).then(rules[name].cast(pl.Float64))
    )


def distinct_units(units: pl.DataFrame, judged: Sequence[str] = ("score", "verdict", "flagged")) -> pl.DataFrame:
    """Each pair of key sequence and label with weight 1, in order of its first unit.

    A model that looks beyond keys (at times, say) may judge units of one pair differently. Then each judgement
    has a row, of its share of the pair's units as weight: the pair counts with its mean verdict, whatever the
    order of the units.

    Args:
        judged: columns, as far as there are, that tell judgements apart.
    """
    pair = ["sequence", "label"]
    same = [*pair, *(name for name in judged if name in units.columns)]
    shared = units.with_columns(weight=pl.len().over(same) / pl.len().over(pair))
    return shared.unique(same, keep="first", maintain_order=True)


def metrics_of(units: pl.DataFrame, evaluators: Mapping[str, Any], unit: str, weighted: bool) -> dict[str, Any]:
    """Metrics of labelled, scored units, by unit and then `all` | `distinct` | `unseen_sequences`.

    The last are those of units whose key sequence does not train: what a model says beyond what it was shown. They
    are null where there is no such unit, and left out where it is not known.

    Args:
        units: with `label`, `score`, `verdict`, `weight`, `sequence`, `events`, and where known `repeats`.
        evaluators: name → Evaluator.
        unit: what a unit is called.
        weighted: a class is subsampled, so distinct metrics cannot be known and are null.
    """
    known = units.filter((pl.col("label") >= 0) & pl.col("score").is_not_null())
    if not known.height:
        return {}
    distinct = distinct_units(known)
    beyond = known.filter(~pl.col("repeats")) if "repeats" in known.columns else None
    result: dict[str, Any] = {}
    for name, evaluator in evaluators.items():
        key = key_of(name, evaluator, unit)
        if key in result:
            raise PluginError(f"evaluator {name!r} gives metrics under {key!r}, which another one gives already")
        result[key] = {
            "all": _answer(name, evaluator.evaluate(known)),
            "distinct": None if weighted else _answer(name, evaluator.evaluate(distinct)),
            **({} if beyond is None else {"unseen_sequences": _of_some(name, evaluator, beyond)}),
        }
    return result


def _of_some(name: str, evaluator: Any, units: pl.DataFrame) -> dict[str, Any] | None:
    return _answer(name, evaluator.evaluate(units)) if units.height else None


def _answer(name: str, came: Any) -> dict[str, Any]:
    if not isinstance(came, Mapping):
        raise PluginError(f"evaluator {name!r} must return names and numbers, got {type(came).__name__}")
    return dict(came)
