"""Tests of two runs' verdicts on the same units: swapped by sequence for a metric, and McNemar's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..base.errors import DataError
from .cells import METRICS, paired_cells

if TYPE_CHECKING:
    from .cells import Floats

# Differences of a metric within it are equal.
SAME = 1e-12


def swapped(first: pl.DataFrame, other: pl.DataFrame, metric: str, *, swaps: int, seed: int) -> float:
    """Two-sided p of a difference of a metric, by swapping the runs' verdicts on whole sequences.

    Where both runs are equally good, which verdict on a sequence is whose is a coin toss, so that the test holds
    its level however skewed the sizes of the clusters are (Good, Permutation Tests, 2000, chapter 3; the p of
    random swaps as Phipson & Smyth 2010 count it).

    Args:
        first, other: see `intervals.paired`. swaps: random assignments, besides the one that happened.
    """
    return of_pairs(paired_cells(first, other), metric, swaps, seed)


def of_pairs(clusters: Floats, metric: str, swaps: int, seed: int) -> float:
    """See `swapped`.

    Args:
        clusters: cells of the first run and of the other, [clusters, 8].
    """
    ours, theirs = clusters[:, :4], clusters[:, 4:]
    rows, count = np.unique((theirs - ours)[(ours != theirs).any(axis=1)], axis=0, return_counts=True)
    if not len(rows):
        return 1.0
    score = METRICS[metric]
    before, after = ours.sum(axis=0), theirs.sum(axis=0)
    moved = np.random.default_rng(seed).binomial(count, 0.5, size=(swaps, len(count))) @ rows
    differences = np.abs(score(after - moved) - score(before + moved))
    seen = abs(float(score(after) - score(before)))
    return float((1 + (differences >= seen - SAME).sum()) / (1 + swaps))


def alike(first: pl.DataFrame, other: pl.DataFrame) -> bool:
    """Whether both runs give every unit the same verdict."""
    return bool((first["verdict"] == other["verdict"]).all())


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
