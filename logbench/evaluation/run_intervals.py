"""95% intervals of the mean over runs whose seeds or splits varied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, sqrt
from statistics import fmean, variance
from typing import Any

from ..api.protocol import REDRAWN

Record = Mapping[str, Any]
# Words of names of metrics that lie between 0 and 1, whichever evaluator gives them.
SHARES = frozenset({"f1", "precision", "recall", "auroc", "auprc"})


def mean_interval(
    metric: str, values: Sequence[float], overlapping: Sequence[Record] = ()
) -> tuple[float, float] | None:
    """The 95% t-interval of the mean, within the metric's range if known; None for fewer than two values.

    Args:
        overlapping: records of runs whose splits overlap, so that they are no independent draws (Nadeau & Bengio,
            Machine Learning 52, 2003, section 3): the more units are tested for each that trains, the wider.

    Examples:
        >>> low, high = mean_interval("f1", [0.5, 0.6, 0.7])
        >>> print(f"{low:.3f} to {high:.3f}")
        0.352 to 0.848
    """
    if len(values) < 2:
        return None
    from scipy.special import stdtrit  # scipy.stats takes a second to load

    count, mean = len(values), fmean(values)
    shared = overlap(overlapping) if overlapping else 0.0
    half = float(stdtrit(count - 1, 0.975) * sqrt((1 / count + shared) * variance(values)))
    least, greatest = limits(metric)
    return max(least, mean - half), min(greatest, mean + half)


def runs_interval(
    metric: str, runs: Sequence[Record], values: Sequence[float | None]
) -> tuple[float, float] | None:
    """The 95% interval over splits, corrected where they draw what trains, or over seeds of one split.

    Args:
        runs: records that differ in seed or split alone. values: of the metric, one a run; None is left out.

    Returns:
        Its ends, within the metric's range; None for a single split with a single value.
    """
    by_split: dict[int, list[float]] = {}
    for run, value in zip(runs, values, strict=True):
        if value is not None:
            by_split.setdefault(run["protocol"]["split_seed"], []).append(value)
    if len(by_split) < 2:
        return mean_interval(metric, [value for some in by_split.values() for value in some])
    redrawn = runs[0]["protocol"]["train"] in REDRAWN
    return mean_interval(metric, [fmean(some) for some in by_split.values()], runs if redrawn else ())


def overlap(records: Sequence[Record]) -> float:
    """Mean ratio of test units to training units over runs, which tells how much splits overlap."""
    return fmean(one["split"]["test"] / (one["split"]["train"] + one["split"]["held_out"]) for one in records)


def limits(metric: str) -> tuple[float, float]:
    """The least and the greatest value of a metric, as far as its name tells.

    Examples:
        >>> limits("budget.recall_at_k"), limits("mcc"), limits("costs.relative")
        ((0.0, 1.0), (-1.0, 1.0), (-inf, inf))
    """
    words = metric.partition(":")[0].rpartition(".")[2].split("_")
    if words == ["mcc"]:
        return -1.0, 1.0
    return (0.0, 1.0) if SHARES.intersection(words) else (-inf, inf)
