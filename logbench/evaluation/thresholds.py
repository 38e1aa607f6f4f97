"""Choose the threshold of a run by its protocol, from scores and labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ..api.record_sections import Source
from ..base.errors import IncompatibleError
from .threshold_traits import NO_HELD_OUT, ThresholdTraits, fixed_value, needs_held_out

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..api.protocol import EvaluationProtocol

# Part of a step by which a published threshold stays below its multiple, since a score alarms from there on.
GRID = 1e-9


def choose(
    held: pl.DataFrame, known: pl.DataFrame, protocol: EvaluationProtocol, own: ThresholdTraits
) -> tuple[float, Source]:
    """The threshold and its source (`validation`, `labelled`, `fixed`, `oracle` or `rule`).

    Args:
        held: held-out units with `score` and `weight`, without those that the protocol drops.
        known: units with `label` and `flagged`, too, from whose labels the threshold is: held-out ones where it is
            `labelled`, else those of the test.

    Raises:
        IncompatibleError: no fixed threshold is known, no held-out unit or no label is there for what is asked.
    """
    if own.rule and own.threshold is not None:
        return own.threshold, "rule"
    if protocol.threshold == "oracle":
        if not known.height:
            raise IncompatibleError("threshold = oracle needs labelled test units")
        return oracle_threshold(known, protocol.oracle_step), "oracle"
    if needs_held_out(protocol, own) and not held.height:
        raise IncompatibleError(NO_HELD_OUT)
    if protocol.threshold == "labelled":
        return labelled_threshold(known, own.threshold), "labelled"
    if protocol.threshold == "fixed" and not needs_held_out(protocol, own):
        return fixed_value(protocol, own), "fixed"
    if own.uses_alpha and own.threshold is not None:
        return own.threshold, "validation"
    scores, weights = held["score"].to_numpy(), held["weight"].to_numpy()
    return validation_threshold(scores, weights, protocol.alpha), "validation"


def is_reliable(source: Source, held_out: int, alpha: float) -> bool:
    """Whether so many held-out units can show a rate of alarms as low as alpha at all."""
    return source != "validation" or held_out * alpha >= 1


def validation_threshold(scores: NDArray[np.float64], weights: NDArray[np.float64], alpha: float) -> float:
    """The smallest of the held-out `scores` with at most `alpha` of the weight above it.

    Args:
        scores, weights: float64 [units], at least one.
    """
    values, inverse = np.unique(scores, return_inverse=True)
    mass = np.bincount(inverse, weights=weights, minlength=len(values))
    above = mass[::-1].cumsum()[::-1] - mass
    return float(values[int(np.argmax(above <= alpha * mass.sum() * (1 + 1e-12)))])


def labelled_threshold(known: pl.DataFrame, own: float | None = None) -> float:
    """The threshold with the best F1 on labelled held-out units.

    Between two scores that it parts any value does as well there: the model's own threshold if it lies there, such
    as .5 of a probability, else the value halfway.

    Args:
        known: `score`, `label` (0 or 1), `weight`, `flagged` (Boolean).
        own: the model's own threshold, if it has one.

    Raises:
        IncompatibleError: one of the classes is missing.
    """
    normal, anomalous = (int((known["label"] == label).sum()) for label in (0, 1))
    if not normal or not anomalous:
        raise IncompatibleError(
            f"threshold = labelled needs normal and anomalous held-out units, got {normal:,} and {anomalous:,}; "
            "raise protocol.label_budget or protocol.held_out, or take threshold=validation"
        )
    below = oracle_threshold(known)
    above = known.filter((pl.col("score") > below) & ~pl.col("flagged"))["score"].min()
    if not isinstance(above, float):
        above = np.inf
    if own is not None and below <= own < above:
        return own
    return below + (above - below) / 2 if np.isfinite([below, above]).all() else below


def oracle_threshold(units: pl.DataFrame, step: float | None = None) -> float:
    """The score above which alarms give the best F1 on these labelled units: for comparison with papers only.

    Units that a rule flags alarm at every threshold, at +∞ they alone. Of equally good thresholds the highest.

    Args:
        units: `score`, `label` (0 or 1), `weight`, `flagged` (Boolean).
        step: only multiples of it are tried, a score alarming from there on, as published grids do it.
    """
    score = pl.col("score")
    level = score if step is None else (score / step + GRID).floor()
    units = units.with_columns(level=pl.when("flagged").then(float("inf")).otherwise(level))
    weight, anomaly = pl.col("weight"), pl.col("label") == 1
    by = units.group_by("level", "flagged").agg(tp=weight.filter(anomaly).sum(), fp=weight.filter(~anomaly).sum())
    by = by.sort("flagged", "level", descending=True)
    # One row more and more alarms: those by rule, then each level; what scores −∞ is above no threshold.
    by = by.filter(pl.col("flagged") | (pl.col("level") > -np.inf))
    ruled = int(by["flagged"].sum())
    tp, fp = (np.append(0.0, by[name].to_numpy().cumsum())[ruled:] for name in ("tp", "fp"))
    missed = float(units.filter(anomaly)["weight"].sum()) - tp
    f1 = 2 * tp / np.maximum(2 * tp + fp + missed, np.finfo(np.float64).tiny)
    best = int(np.argmax(f1))
    levels = by["level"].to_numpy()[ruled:]
    if best == 0:
        return float("inf")
    if step is None:
        return float(np.append(levels, -np.inf)[best])
    lowest = levels[best - 1]
    if lowest == np.inf:  # a multiple above every finite score
        lowest = levels[1] + 1 if len(levels) > 1 else 0.0
    return float((lowest - GRID) * step)
