"""How sure a difference of any metric is: sequences are drawn anew, and its evaluator is asked again."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from .cells import kish
from .intervals import FEWEST, Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A metric of labelled units, see `Evaluator.evaluate`; None where it is undefined.
Metric = Callable[[pl.DataFrame], float | None]
# Most resamples, as a share, in which the metric may be undefined.
UNDEFINED = 0.05


def paired(
    first: pl.DataFrame, other: pl.DataFrame, metrics: tuple[Metric, Metric], *, resamples: int, seed: int
) -> Interval:
    """The other run's metric less the first's, with the 95% percentile interval of a bootstrap by clusters.

    A cluster that is drawn twice counts as two, by the weights of its units (Davison & Hinkley, Bootstrap Methods,
    1997, section 3.8). Unlike `intervals.paired` it leaves no room for clusters that were not drawn.

    Args:
        first, other: units of each run as evaluators see them, and `cluster` (Int64): units of one number, in
            either run, are drawn together.
        metrics: of the first run and of the other.

    Returns:
        `effective` is of the clusters' weight, of the label where it is smaller.

    Raises:
        ValueError: the metric is undefined on the units, or in more than `UNDEFINED` of the resamples; or its
            evaluator counts rows where it should sum weights.
    """
    every, numbers = np.unique(np.concatenate([first["cluster"], other["cluster"]]), return_inverse=True)
    parts = (numbers[: len(first)], numbers[len(first) :])
    units = [frame.drop("cluster") for frame in (first, other)]
    count, worth = len(every), _worth(first, parts[0], len(every))
    value = _difference(units, metrics)
    if value is None:
        raise ValueError("it is undefined")
    if worth < FEWEST:
        return Interval(value, None, None, count, worth)
    rng = np.random.default_rng(seed)
    differences = []
    for number in range(resamples):
        times = np.bincount(rng.integers(count, size=count), minlength=count)
        drawn = [_drawn(frame, times[part]) for frame, part in zip(units, parts, strict=True)]
        if not all(map(len, drawn)) or (found := _difference(drawn, metrics)) is None:
            continue
        if not number and not _close(found, _difference(_repeated(units, parts, times), metrics)):
            raise ValueError("its evaluator counts rows instead of weights (see: logbench check)")
        differences.append(found)
    if len(differences) < (1 - UNDEFINED) * resamples:
        raise ValueError(f"it is undefined in {resamples - len(differences):,} of {resamples:,} resamples")
    low, high = np.quantile(differences, [0.025, 0.975])
    return Interval(value, float(low), float(high), count, worth)


def _repeated(
    units: list[pl.DataFrame], parts: tuple[NDArray[np.int64], NDArray[np.int64]], times: NDArray[np.int64]
) -> list[pl.DataFrame]:
    """The units of a resample row by row, where `_drawn` gives them weight."""
    return [frame[np.repeat(np.arange(len(frame)), times[part])] for frame, part in zip(units, parts, strict=True)]


def _close(value: float, again: float | None) -> bool:
    return again is not None and math.isclose(value, again, rel_tol=1e-6, abs_tol=1e-9)


def _drawn(units: pl.DataFrame, times: NDArray[np.int64]) -> pl.DataFrame:
    return units.with_columns(weight=pl.col("weight") * pl.Series(times)).filter(pl.Series(times > 0))


def _difference(units: list[pl.DataFrame], metrics: tuple[Metric, Metric]) -> float | None:
    values = [metric(frame) for metric, frame in zip(metrics, units, strict=True)]
    return None if None in values else float(values[1]) - float(values[0])  # type: ignore[arg-type]


def _worth(units: pl.DataFrame, cluster: NDArray[np.int64], count: int) -> float:
    weight, anomaly = units["weight"].to_numpy(), units["label"].to_numpy() == 1
    return min(
        kish(np.bincount(cluster, np.where(which, weight, 0.0), count).astype(np.float64))
        for which in (anomaly, ~anomaly)
    )
