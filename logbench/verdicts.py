"""Stage threshold: from raw scores to verdicts by the protocol, on a stored frame, without the model.

A scored frame has one row a unit, held-out and test: `part` (`held_out` | `test`), `unit`, `label` (Int8),
`weight`, `events` (length), `unseen` (events out of vocabulary), `sequence` (UInt32), `raw` (the model's score,
null for short units), `ignoring` (null where the model has none), `event` and `ignoring_event`.
Rescoring and the protocols table start from the same frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from .errors import PluginError, UnfitError
from .metrics import key_of
from .protocol import EvaluationProtocol

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
        counts: `labelled`, `scored`, `excluded` (by class), `short`, `unseen`.
    """

    frame: pl.DataFrame
    threshold: dict[str, Any]
    counts: dict[str, Any]

    @property
    def units(self) -> pl.DataFrame:
        """The test units."""
        return self.frame.filter(pl.col("part") == "test")


def ruled(scored: pl.DataFrame, protocol: EvaluationProtocol) -> pl.DataFrame:
    """Add `score` by the protocol's rules for unseen keys and short units, `short` and `flagged` (Boolean).

    `flagged` units alarm by a rule, whatever the threshold. The protocol's `min_events` must be realised.

    Raises:
        UnfitError: `unseen = "ignore"` where the model has no score without unseen keys.
    """
    score, event, strange = pl.col("raw"), pl.col("event"), pl.lit(False)
    if protocol.unseen == "ignore":
        if scored.filter(
            (pl.col("unseen") > 0) & pl.col("ignoring").is_null() & pl.col("raw").is_not_null()
        ).height:
            raise UnfitError("unseen = ignore: the model gives no score without unseen keys")
        score = pl.coalesce("ignoring", "raw")
        event = pl.coalesce("ignoring_event", "event")
    elif protocol.unseen == "anomalous":
        strange = pl.col("unseen") > 0
        score = pl.when(strange).then(float("inf")).otherwise(score)
    short = pl.col("events") < protocol.min_events
    return scored.with_columns(
        score=pl.when(short).then(pl.lit(FLAG[protocol.short], pl.Float64)).otherwise(score),
        decided_by=pl.when(short).then(pl.lit(-1, pl.Int64)).otherwise(event),
        short=short,
        flagged=pl.when(short).then(pl.lit(protocol.short == "flag")).otherwise(strange),
    )


def validation_threshold(scores: np.ndarray[Any, Any], weights: np.ndarray[Any, Any], alpha: float) -> float:
    """The smallest of the held-out `scores` with at most `alpha` of the weight above it.

    Args:
        scores, weights: float64 [units], at least one.
    """
    values, inverse = np.unique(scores, return_inverse=True)
    mass = np.bincount(inverse, weights=weights, minlength=len(values))
    above = mass[::-1].cumsum()[::-1] - mass
    return float(values[int(np.argmax(above <= alpha * mass.sum() * (1 + 1e-12)))])


def oracle_threshold(units: pl.DataFrame, step: float | None = None) -> float:
    """The score above which alarms give the best F1 on these labelled units: for comparison with papers only.

    Args:
        step: only multiples of it are tried, a score alarming from there on, as published grids do it.
    """
    if step is not None:
        units = units.with_columns(score=(pl.col("score") / step + 1e-9).floor() * step)
    by = units.group_by("score").agg(
        tp=pl.col("weight").filter(pl.col("label") == 1).sum(),
        fp=pl.col("weight").filter(pl.col("label") == 0).sum(),
    )
    by = by.sort("score", descending=True)
    tp, fp = by["tp"].to_numpy().cumsum(), by["fp"].to_numpy().cumsum()
    f1 = 2 * tp / np.maximum(tp + fp + by["tp"].sum(), 1e-300)
    values = by["score"].to_numpy()
    best = int(np.argmax(np.where(values > -np.inf, f1, -1.0)))
    if step is not None:
        return float(values[best] - 1e-9 * step)
    return float(values[best + 1]) if best + 1 < len(values) else -np.inf


def decide(
    scored: pl.DataFrame, protocol: EvaluationProtocol, fixed: float | None, rule: bool = False
) -> Decision:
    """Apply the protocol to raw scores.

    Args:
        scored: see the module.
        fixed: the model's own threshold, for `threshold = "fixed"` without a value.
        rule: the model only says yes or no: `fixed` holds under `validation` too, there is nothing to choose.

    Raises:
        UnfitError: no fixed threshold is known, no held-out unit or no label is there for the rule asked.
    """
    frame = ruled(scored, protocol)
    held = frame.filter((pl.col("part") == "held_out") & pl.col("score").is_not_null())
    if protocol.content == "labelled":  # alpha is a rate of false alarms: known anomalies do not count into it
        held = held.filter(pl.col("label") != 1)
    test = frame.filter(pl.col("part") == "test")
    source: str = protocol.threshold
    if rule and source == "validation" and fixed is not None:
        source, value = "rule", fixed
    else:
        value = _threshold(held, test, protocol, fixed)
    described = _described(value, source, held.with_columns(verdict=alarm(value)), protocol.alpha)
    return Decision(frame.with_columns(verdict=alarm(value)), described, _counts(test))


def alarm(threshold: float) -> pl.Expr:
    """The verdict of ruled units: a score above the threshold, or a rule; null where dropped."""
    known = pl.col("score").is_not_null()
    return pl.when(known).then(pl.col("flagged") | (pl.col("score") > threshold))


def _threshold(held: pl.DataFrame, test: pl.DataFrame, protocol: EvaluationProtocol, fixed: float | None) -> float:
    kind = protocol.threshold
    if kind == "validation":
        if not held.height:
            raise UnfitError("threshold = validation needs held-out units; raise protocol.held_out or use fixed")
        return validation_threshold(held["score"].to_numpy(), held["weight"].to_numpy(), protocol.alpha)
    if kind == "fixed":
        found = protocol.value if protocol.value is not None else fixed
        if found is None:
            raise UnfitError("threshold = fixed: the model has none of its own; set protocol.value")
        return found
    labelled = test.filter((pl.col("label") >= 0) & pl.col("score").is_not_null())
    if not labelled.height:
        raise UnfitError("threshold = oracle needs labelled test units")
    units = labelled if protocol.duplicates == "all" else distinct_units(labelled)
    return oracle_threshold(units, protocol.oracle_step)


def _described(value: float, source: str, held: pl.DataFrame, alpha: float) -> dict[str, Any]:
    weight = float(held["weight"].sum())
    achieved = float(held.filter("verdict")["weight"].sum()) / weight if weight else None
    return {
        "value": value,
        "exact": repr(value),
        "source": source,
        "held_out": held.height,
        "achieved": achieved,
        "reliable": source != "validation" or held.height * alpha >= 1,
        "repeats": int(held["repeats"].sum()) if "repeats" in held.columns else None,
    }


def _counts(units: pl.DataFrame) -> dict[str, Any]:
    labelled = units.filter(pl.col("label") >= 0)
    dropped = labelled.filter(pl.col("score").is_null())
    excluded = {
        "normal": dropped.filter(pl.col("label") == 0).height,
        "anomaly": dropped.filter(pl.col("label") == 1).height,
    }
    scored = labelled.height - dropped.height
    if scored + sum(excluded.values()) != labelled.height:
        raise AssertionError("scored + excluded units must be all labelled ones")
    return {
        "labelled": labelled.height,
        "scored": scored,
        "excluded": excluded,
        "short": int(units["short"].sum()),
        "unseen": int((units["unseen"] > 0).sum()),
        "unlabelled": units.height - labelled.height,
    }


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


def distinct_units(units: pl.DataFrame) -> pl.DataFrame:
    """One unit for each pair of key sequence and label, the first of its kind, of weight 1."""
    first = units.unique(["sequence", "label"], keep="first", maintain_order=True)
    return first.with_columns(weight=pl.lit(1.0))


def metrics_of(units: pl.DataFrame, evaluators: Mapping[str, Any], unit: str, weighted: bool) -> dict[str, Any]:
    """Metrics of labelled, scored units, by unit and then `all` | `distinct`.

    Args:
        units: with `label`, `score`, `verdict`, `weight`, `sequence`, `events`.
        evaluators: name → Evaluator.
        unit: what a unit is called.
        weighted: a class is subsampled, so distinct metrics cannot be known and are null.
    """
    known = units.filter((pl.col("label") >= 0) & pl.col("score").is_not_null())
    if not known.height:
        return {}
    distinct = distinct_units(known)
    result: dict[str, Any] = {}
    for name, evaluator in evaluators.items():
        key = key_of(name, evaluator, unit)
        if key in result:
            raise PluginError(f"evaluator {name!r} gives metrics under {key!r}, which another one gives already")
        result[key] = {
            "all": _answer(name, evaluator.evaluate(known)),
            "distinct": None if weighted else _answer(name, evaluator.evaluate(distinct)),
        }
    return result


def _answer(name: str, came: Any) -> dict[str, Any]:
    if not isinstance(came, Mapping):
        raise PluginError(f"evaluator {name!r} must return names and numbers, got {type(came).__name__}")
    return dict(came)
