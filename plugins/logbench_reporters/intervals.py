"""95% intervals of the mean over runs, if seeds or splits varied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, sqrt
from statistics import fmean, variance
from typing import Any

Record = Mapping[str, Any]
# Metric → least and greatest value.
RANGES = {
    "mcc": (-1.0, 1.0),
    **dict.fromkeys(("f1", "precision", "recall", "auroc", "auprc"), (0.0, 1.0)),
}


def overlap(records: Sequence[Record]) -> float:
    """Mean ratio of test units to training units over runs, which tells how much splits overlap."""
    return fmean(one["split"]["test"] / (one["split"]["train"] + one["split"]["held_out"]) for one in records)


def interval(metric: str, values: Sequence[float], shared: float = 0.0) -> tuple[float, float] | None:
    """The 95% t-interval of the mean, within the metric's range if known; None for fewer than two values.

    Args:
        shared: see `overlap`: splits that overlap are no independent runs (Nadeau & Bengio, Machine Learning 52,
            2003, section 3); 0 for runs that are.
    """
    if len(values) < 2:
        return None
    from scipy.special import stdtrit  # scipy.stats takes a second to load

    count, mean = len(values), fmean(values)
    half = float(stdtrit(count - 1, 0.975) * sqrt((1 / count + shared) * variance(values)))
    least, greatest = RANGES.get(metric, (-inf, inf))
    return max(least, mean - half), min(greatest, mean + half)
