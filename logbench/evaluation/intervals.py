"""How sure a metric, or a difference of two, is: 95% intervals over clusters of equal sequences.

The clusters are taken for draws with replacement from a population of them, and the metric for that of the
population. Their sizes are skewed (4 of 4,123 distinct anomalies of HDFS hold a third of all), so that a
sample may miss what decides; resampling it cannot tell. The intervals therefore leave room for what was not
drawn: a lower limit is that of the sample and one more cluster of each label judged wrong, an upper limit that
with one judged right. How heavy these are is read from the tail of the sizes, see `unseen`. Limits are linearised
on the logit scale with a t quantile of effective degrees of freedom. `tests/tools/coverage_of_intervals.py`
measures how often they hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl

from .cells import (
    ANOMALY,
    METRICS,
    NORMAL,
    cells,
    clustered,
    effective,
    kish,
    paired_cells,
    slopes,
)
from .run_intervals import limits

if TYPE_CHECKING:
    from .cells import Cells, Floats

# Effective clusters below which there is no interval: a variance needs two.
FEWEST = 2.0
# An unseen cluster is at most ROOM / sqrt(clusters) times as heavy as the heaviest seen (or once as heavy); by
# simulation.
ROOM = 100.0
# The normal quantile of .95.
ONE_SIDED = 1.645
# Distance from the ends of a metric's range that the logit is taken at.
NEAREST = 1e-12


@dataclass(frozen=True)
class Interval:
    """A metric, or the difference of two, with its 95% interval.

    Attributes:
        low, high: None where the effective number of clusters is below `FEWEST`.
        clusters: how many there are. effective: as many clusters of equal weight would be as sure.
    """

    value: float
    low: float | None
    high: float | None
    clusters: int
    effective: float

    @property
    def why_none(self) -> str:
        """Why there is no interval, in words; empty where there is one."""
        if self.low is not None:
            return ""
        return (
            f"no interval: its {self.clusters:,} clusters of equal sequences are worth {self.effective:.1f} of "
            f"equal weight, and below {FEWEST:g} nothing can be said of sequences that were not drawn"
        )


def interval(
    units: pl.DataFrame, metric: str, *, only: Literal["all", "normal"] = "all", by_sequence: bool = True
) -> Interval:
    """A metric of labelled units with its 95% interval.

    Args:
        units: `label`, `verdict`, `weight`, `sequence`, one row a unit.
        metric: one of `METRICS`.
        only: `normal` takes the normal units alone for a sample and keeps the anomalies as they are; a metric that
            normal units do not move, as `recall`, then has an interval of width 0.
        by_sequence: units of equal sequence, which get one verdict, are one cluster; else each unit is one.

    Example:

        found = logbench.interval(units, "f1")
        print(f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]")
    """
    drawn = units.filter(pl.col("label") == 0) if only == "normal" else units
    kept = cells(units.filter(pl.col("label") == 1)).sum(axis=0) if only == "normal" else np.zeros(4)
    values = cells(drawn)
    clusters = clustered(values, drawn["sequence"]) if by_sequence else values
    worth = kish(clusters.sum(axis=1)) if only == "normal" else effective(metric, clusters)
    return _around(clusters, metric, kept, worth)


def of_clusters(clusters: Cells, metric: str) -> Interval:
    """A metric with its 95% interval.

    Args:
        clusters: cells of each, [clusters, 4].
    """
    return _around(clusters, metric, np.zeros(4), effective(metric, clusters))


def _around(clusters: Cells, metric: str, kept: Cells, worth: float) -> Interval:
    """See `of_clusters`; `kept` are cells [4] that are no sample."""
    value = float(METRICS[metric](clusters.sum(axis=0) + kept))
    if worth < FEWEST:
        return Interval(value, None, None, len(clusters), worth)
    anomaly, normal = (unseen(clusters @ np.array(label)) for label in (ANOMALY, NORMAL))
    wrong, right = np.diag([0, normal, 0, anomaly]), np.diag([anomaly, 0, normal, 0])
    reach = _quantile(worth)
    low = _limit(clusters, kept, wrong, metric, -reach)
    high = _limit(clusters, kept, right, metric, reach)
    return Interval(value, min(low, value), max(high, value), len(clusters), worth)


def paired(first: pl.DataFrame, other: pl.DataFrame, metric: str) -> Interval:
    """The other run's metric less the first's, on the same units, with its 95% interval.

    Args:
        first, other: `label`, `verdict`, `weight` of the same units in the same order; `sequence` of the first
            run makes the clusters.
    """
    return of_pairs(paired_cells(first, other), metric)


def of_pairs(clusters: Floats, metric: str) -> Interval:
    """The difference of a metric of two runs with its 95% interval.

    Args:
        clusters: cells of the first run and of the other, [clusters, 8].
    """
    ours, theirs = clusters[:, :4], clusters[:, 4:]
    value = _difference(clusters.sum(axis=0), metric)
    worth = min(effective(metric, ours), effective(metric, theirs))
    if worth < FEWEST:
        return Interval(value, None, None, len(clusters), worth)
    anomaly, normal = (unseen(ours @ np.array(label)) for label in (ANOMALY, NORMAL))
    wrong, right = [[0, 0, 0, anomaly], [0, normal, 0, 0]], [[anomaly, 0, 0, 0], [0, 0, normal, 0]]
    reach = _quantile(worth)
    low = _limit_of_difference(clusters, np.hstack([right, wrong]), metric, -reach)
    high = _limit_of_difference(clusters, np.hstack([wrong, right]), metric, reach)
    return Interval(value, min(low, value), max(high, value), len(clusters), worth)


def unseen(weights: Floats) -> float:
    """The weight of clusters heavier than the heaviest seen that as many draws are expected to hold.

    Where weights have a Pareto tail of index a, that is a / (a − 1) times the heaviest: once for a light tail,
    without limit for a ≤ 1. Hill's estimate of 1 / a (Annals of Statistics 3, 1975) from the k = sqrt(n) heaviest
    has a standard error of 1 / sqrt(k) of itself; its upper 95% limit counts. A population is finite, so that the
    factor is limited by `ROOM`.

    Args:
        weights: of each cluster, [clusters]; those of weight 0 do not count.
    """
    known = np.sort(weights[weights > 0])[::-1]
    if not len(known):
        return 0.0
    most = max(1.0, ROOM / np.sqrt(len(known)))
    top = int(np.ceil(np.sqrt(len(known))))
    hill = float(np.log(known[:top] / known[min(top, len(known) - 1)]).mean())
    inverse = hill * (1 + ONE_SIDED / np.sqrt(top))
    factor = 1 / (1 - inverse) if inverse < 1 else most
    return float(known[0] * min(factor, most))


def _quantile(worth: float) -> float:
    from scipy.stats import t

    return float(t.ppf(0.975, max(worth - 1, 1.0)))


def _limit(clusters: Cells, kept: Cells, more: Cells, metric: str, reach: float) -> float:
    """`reach` standard errors from the metric on the logit scale, with `more` clusters [2 or 4, 4] added."""
    every = np.vstack([clusters, more[more.any(axis=1)]])
    totals = every.sum(axis=0) + kept
    least, greatest = limits(metric)
    share = np.clip((METRICS[metric](totals) - least) / (greatest - least), NEAREST, 1 - NEAREST)
    error = _error(every @ slopes(metric, totals)) / (greatest - least) / (share * (1 - share))
    bound = 1 / (1 + np.exp(-(np.log(share / (1 - share)) + reach * error)))
    return float(least + (greatest - least) * bound)


def _limit_of_difference(clusters: Floats, more: Floats, metric: str, reach: float) -> float:
    """`reach` standard errors from the difference, with `more` clusters [2, 8] added, within what it can be."""
    every = np.vstack([clusters, more[more.any(axis=1)]])
    totals = every.sum(axis=0)
    change = np.concatenate([-slopes(metric, totals[:4]), slopes(metric, totals[4:])])
    least, greatest = limits(metric)
    bound = _difference(totals, metric) + reach * _error(every @ change)
    return float(np.clip(bound, least - greatest, greatest - least))


def _difference(totals: Floats, metric: str) -> float:
    return float(METRICS[metric](totals[4:]) - METRICS[metric](totals[:4]))


def _error(influence: Floats) -> float:
    """The standard error of a sum of independent values."""
    count = len(influence)
    return float(np.sqrt(count * influence.var(ddof=1))) if count > 1 else 0.0
