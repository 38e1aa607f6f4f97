"""How sure a metric, or a difference of two, is: bootstrap by clusters of equal sequences, and McNemar's test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from .errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Cells = NDArray[np.float64]
    """Weights of true and false positives, true and false negatives, float64 [..., 4]."""

BLOCK = 1 << 24
"""Drawn numbers held at once."""


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(above, below, out=np.zeros_like(above), where=below != 0)


def _mcc(cells: Cells) -> NDArray[np.float64]:
    tp, fp, tn, fn = np.moveaxis(cells, -1, 0)
    return _ratio(tp * tn - fp * fn, np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)))


METRICS: dict[str, Callable[[Cells], NDArray[np.float64]]] = {
    "f1": lambda cells: _ratio(2 * cells[..., 0], 2 * cells[..., 0] + cells[..., 1] + cells[..., 3]),
    "precision": lambda cells: _ratio(cells[..., 0], cells[..., 0] + cells[..., 1]),
    "recall": lambda cells: _ratio(cells[..., 0], cells[..., 0] + cells[..., 3]),
    "mcc": _mcc,
}
"""Metrics that follow from the four cells, 0 where they would divide by zero."""


@dataclass(frozen=True)
class Paired:
    """The other run's metric less the first's.

    Attributes:
        low, high: 95% percentile interval.
        lower: share of resamples in which the other run is lower.
        clusters: sequences that were drawn from.
    """

    difference: float
    low: float
    high: float
    lower: float
    clusters: int


def cells(units: pl.DataFrame) -> Cells:
    """The four cells of each unit, [units, 4], from `label`, `verdict` and `weight`."""
    anomaly, alarm = pl.col("label") == 1, pl.col("verdict")
    where = (anomaly & alarm, ~anomaly & alarm, ~anomaly & ~alarm, anomaly & ~alarm)
    found: Cells = units.select(
        pl.when(cell).then(pl.col("weight")).otherwise(0.0).alias(str(i)) for i, cell in enumerate(where)
    ).to_numpy()
    return found


def interval(
    units: pl.DataFrame,
    metric: str,
    *,
    only: Literal["all", "normal"] = "all",
    clustered: bool = True,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """95% percentile interval of a metric of labelled units (Efron & Tibshirani 1993, chapter 13).

    Args:
        units: `label`, `verdict`, `weight`, `sequence`, one row a unit.
        metric: one of `METRICS`.
        only: `normal` draws the normal units alone and keeps the anomalies as they are.
        clustered: draw whole sets of units of equal sequence, which get one verdict, instead of single units.
    """
    drawn = units.filter(pl.col("label") == 0) if only == "normal" else units
    kept = cells(units.filter(pl.col("label") == 1)).sum(axis=0) if only == "normal" else np.zeros(4)
    groups = drawn["sequence"].to_numpy() if clustered else None
    found = [METRICS[metric](totals + kept) for totals in _resampled(cells(drawn), groups, resamples, seed)]
    low, high = np.percentile(np.concatenate(found), [2.5, 97.5])
    return float(low), float(high)


def paired(first: pl.DataFrame, other: pl.DataFrame, metric: str, *, resamples: int, seed: int) -> Paired:
    """The difference of a metric of two runs on the same units, drawing the same sequences for both.

    Args:
        first, other: `label`, `verdict`, `weight` of the same units in the same order; `sequence` of the first
            run makes the clusters.
    """
    both = np.hstack([cells(first), cells(other)])
    score = METRICS[metric]
    totals = both.sum(axis=0)
    found = []
    for drawn in _resampled(both, first["sequence"].to_numpy(), resamples, seed):
        found.append(score(drawn[:, 4:]) - score(drawn[:, :4]))
    differences = np.concatenate(found)
    low, high = np.percentile(differences, [2.5, 97.5])
    return Paired(
        difference=float(score(totals[4:]) - score(totals[:4])),
        low=float(low),
        high=float(high),
        lower=float((differences < 0).mean()),
        clusters=first["sequence"].n_unique(),
    )


def _resampled(
    values: NDArray[np.float64], groups: NDArray[Any] | None, resamples: int, seed: int
) -> Iterator[NDArray[np.float64]]:
    """Sums of `values` [units, n] over units or groups drawn with replacement, [some resamples, n] at a time."""
    rows, share = _rows(values, groups)
    draws = round(share.sum())
    rng = np.random.default_rng(seed)
    step = max(1, BLOCK // len(rows))
    for begin in range(0, resamples, step):
        counts = rng.multinomial(draws, share / draws, size=min(step, resamples - begin))
        yield counts @ rows


def _rows(
    values: NDArray[np.float64], groups: NDArray[Any] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What is drawn, equal rows once with their number, so that few numbers need to be drawn."""
    if groups is not None:
        _, number = np.unique(groups, return_inverse=True)
        values = np.stack([np.bincount(number, column) for column in values.T], axis=1)
    rows, count = np.unique(values, axis=0, return_counts=True)
    return rows, count.astype(np.float64)


def mcnemar(first: pl.DataFrame, other: pl.DataFrame) -> dict[str, Any]:
    """McNemar's exact test of two runs' verdicts on the same units (Dietterich, Neural Computation 1998).

    Returns:
        `first_only`, `other_only` (units that only this run judges right) and the two-sided `p`.

    Raises:
        DataError: units have weights, so that they cannot be counted.
    """
    from scipy.stats import binomtest

    if (first["weight"] != 1).any():
        raise DataError("units are weighted, so they cannot be counted for McNemar's test")
    right = [frame["verdict"] == (frame["label"] == 1) for frame in (first, other)]
    ours, theirs = int((right[0] & ~right[1]).sum()), int((~right[0] & right[1]).sum())
    p = float(binomtest(ours, ours + theirs).pvalue) if ours + theirs else 1.0
    return {"first_only": ours, "other_only": theirs, "p": p}
