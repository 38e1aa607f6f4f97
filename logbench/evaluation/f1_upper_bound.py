"""What no model can pass that sees only key sequences: equal sequences get equal verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..api.record_sections import BoundFacts
from .cells import numbered

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class F1Bound:
    """Attributes:
    f1: the largest F1 of any verdict that depends on the sequence alone; None where no unit is anomalous.
    ambiguous: sequences that carry both labels.
    units: anomalous units of such a sequence.
    """

    f1: float | None
    ambiguous: int
    units: int


def upper_bound(labels: NDArray[Any], sequences: NDArray[Any], weights: NDArray[np.float64]) -> F1Bound:
    """The bound that equal sequences with both labels impose, exactly.

    Alarming on a set of sequences with anomalous weight a and normal weight n gives F1 = 2a / (a + n + A), A
    being all anomalous weight. F1 > c says that (2 − c)·a − c·n, summed over the set, is above c·A, so the best
    set for any c holds the sequences whose share of anomalies is above c / 2: a beginning of them by that share.

    Args:
        labels: [units], 0 or 1, others are left out. sequences: int [units], equal for equal key sequences.
        weights: float64 [units].
    """
    known = (labels == 0) | (labels == 1)
    number = numbered(sequences[known])
    anomalous = labels[known] == 1
    bad, good = (np.bincount(number, weights[known] * which) for which in (anomalous, ~anomalous))
    both = (bad > 0) & (good > 0)
    units = int(np.bincount(number, anomalous)[both].sum()) if len(number) else 0
    total = bad.sum()
    if not total:
        return F1Bound(None, int(both.sum()), units)
    order = np.argsort(-(bad / (bad + good)), kind="stable")
    a, n = bad[order].cumsum(), good[order].cumsum()
    return F1Bound(float((2 * a / (a + n + total)).max()), int(both.sum()), units)


def bound_of(units: pl.DataFrame) -> BoundFacts:
    """The bound of judged units (`label`, `score`, `sequence`, `weight`), for the record; empty without labels."""
    judged = units.filter((pl.col("label") >= 0) & pl.col("score").is_not_null())
    if not len(judged):
        return {}
    columns = (judged[name].to_numpy() for name in ("label", "sequence", "weight"))
    found = upper_bound(*columns)
    return {"f1": found.f1, "ambiguous": found.ambiguous, "units": found.units}
