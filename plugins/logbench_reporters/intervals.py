"""95% intervals of the mean over runs, if seeds or splits varied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, sqrt
from statistics import fmean, variance
from typing import Any

Record = Mapping[str, Any]
# Words of names of metrics that lie between 0 and 1, whichever evaluator gives them.
SHARES = frozenset({"f1", "precision", "recall", "auroc", "auprc"})


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
    least, greatest = _limits(metric)
    return max(least, mean - half), min(greatest, mean + half)


def _limits(metric: str) -> tuple[float, float]:
    """The least and the greatest value of a metric, as far as its name tells."""
    words = metric.partition(":")[0].rpartition(".")[2].split("_")
    if words == ["mcc"]:
        return -1.0, 1.0
    return (0.0, 1.0) if SHARES.intersection(words) else (-inf, inf)
