"""Metrics that follow from the four cells of a confusion table, with their slopes and what they rest on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    # Weights of true and false positives, true and false negatives, float64 [..., 4].
    Cells = NDArray[np.float64]

# Metric → factors of the cells above and below the line.
RATIOS = {
    "f1": ((2, 0, 0, 0), (2, 1, 0, 1)),
    "precision": ((1, 0, 0, 0), (1, 1, 0, 0)),
    "recall": ((1, 0, 0, 0), (1, 0, 0, 1)),
}
# Values that are below so many times their number are counted instead of sorted.
DENSE = 4
# Factors that sum up the weight of each label.
ANOMALY, NORMAL = (1, 0, 0, 1), (0, 1, 1, 0)


def ratio(above: Floats, below: Floats) -> Floats:
    """Their quotient, 0 where it would divide by zero."""
    return np.divide(above, below, out=np.zeros_like(above), where=below != 0)


def _of(metric: str) -> Callable[[Cells], Floats]:
    above, below = np.array(RATIOS[metric], dtype=np.float64)
    return lambda cells: ratio(cells @ above, cells @ below)


def _mcc(cells: Cells) -> Floats:
    tp, fp, tn, fn = np.moveaxis(cells, -1, 0)
    return ratio(tp * tn - fp * fn, np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)))


# Metrics that follow from the four cells, 0 where they would divide by zero.
METRICS: dict[str, Callable[[Cells], Floats]] = {**{name: _of(name) for name in RATIOS}, "mcc": _mcc}


def slopes(metric: str, totals: Cells) -> Cells:
    """How a metric changes with each cell, [4], at totals [4] whose margins are above 0."""
    if metric in RATIOS:
        above, below = np.array(RATIOS[metric], dtype=np.float64)
        return np.asarray((above - METRICS[metric](totals) * below) / (totals @ below))
    tp, fp, tn, fn = totals
    alarm, anomaly, normal, silent = tp + fp, tp + fn, tn + fp, tn + fn
    root = np.sqrt(alarm * anomaly * normal * silent)
    margins = np.array(
        [1 / alarm + 1 / anomaly, 1 / alarm + 1 / normal, 1 / normal + 1 / silent, 1 / anomaly + 1 / silent]
    )
    return np.asarray(np.array([tn, -fn, tp, -fp]) / root - _mcc(totals) / 2 * margins)


def effective(metric: str, clusters: Cells) -> float:
    """The effective number of clusters that a metric rests on (Kish, Survey Sampling 1965, section 8.2).

    See `kish`, where w is what a cluster adds to the metric's denominator: of `recall` the anomalies,
    of `precision` the alarms, of `f1` both. `mcc` rests on both labels: the smaller number counts.

    Args:
        clusters: cells of each cluster, [clusters, 4].
    """
    rests_on = [RATIOS[metric][1]] if metric in RATIOS else [ANOMALY, NORMAL]
    return min(kish(clusters @ np.array(factors, dtype=np.float64)) for factors in rests_on)


def kish(weights: Floats) -> float:
    """(sum w)² / sum w²; 0 where all weights are."""
    squares = float((weights**2).sum())
    return float(weights.sum() ** 2 / squares) if squares else 0.0


def cells(units: pl.DataFrame) -> Cells:
    """The four cells of each unit, [units, 4], from `label`, `verdict` and `weight`."""
    anomaly, alarm = pl.col("label") == 1, pl.col("verdict")
    where = (anomaly & alarm, ~anomaly & alarm, ~anomaly & ~alarm, anomaly & ~alarm)
    found: Cells = units.select(
        pl.when(cell).then(pl.col("weight")).otherwise(0.0).alias(str(i)) for i, cell in enumerate(where)
    ).to_numpy()
    return found


def clustered(values: Floats, sequences: pl.Series) -> Floats:
    """Sums of `values` [units, n] over units of equal sequence, [clusters, n], in the order of their numbers."""
    number = numbered(sequences.to_numpy())
    return np.stack([np.bincount(number, column) for column in values.T], axis=1)


def paired_cells(first: pl.DataFrame, other: pl.DataFrame) -> Floats:
    """Cells of each sequence by two runs, [clusters, 8].

    Args:
        first, other: `label`, `verdict`, `weight` of the same units in the same order; `sequence` of the first run
            makes the clusters.
    """
    return clustered(np.hstack([cells(first), cells(other)]), first["sequence"])


def numbered(values: NDArray[Any]) -> NDArray[np.int64]:
    """Number of each value among the distinct ones in order, int64 [values].

    Examples:
        >>> numbered(np.array([7, 3, 7], dtype=np.uint32)).tolist()
        [1, 0, 1]
    """
    if values.dtype.kind == "u" and len(values) and int(values.max()) < DENSE * len(values):  # without sorting
        there = np.zeros(int(values.max()) + 1, dtype=np.int64)
        there[values] = 1
        return np.asarray((np.cumsum(there) - 1)[values])
    return np.asarray(np.unique(values, return_inverse=True)[1])
