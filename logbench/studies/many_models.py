"""Tests of many models at once: ranks over data sets, and p-values of many pairs (Demšar, JMLR 7, 2006)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def ranks(values: Floats, *, higher_is_better: bool = True) -> Floats:
    """Ranks of models on each data set, [data sets, models]: 1 for the best, equal values share their mean rank.

    Args:
        values: a metric, [data sets, models].
    """
    from scipy.stats import rankdata

    found: Floats = rankdata(-values if higher_is_better else values, axis=1)
    return found


@dataclass(frozen=True)
class Friedman:
    """Friedman's test in the form of Iman & Davenport (1980), which is less conservative (Demšar, section 3.2.2).

    Attributes:
        chi_square: Friedman's statistic, corrected for ties. f: Iman & Davenport's. p: of `f`, that all models
            are equally good; of `chi_square` where `f` is infinite.
    """

    chi_square: float
    f: float
    p: float


def friedman(ranked: Floats) -> Friedman:
    """Whether any model differs from another.

    Args:
        ranked: see `ranks`; two data sets and two models at least.

    Raises:
        ValueError: fewer.
    """
    from scipy.stats import chi2
    from scipy.stats import f as f_distribution

    sets, models = ranked.shape
    if sets < 2 or models < 2:
        raise ValueError(f"Friedman's test needs two data sets and two models at least, not {sets} and {models}")
    between = sets * ((ranked.mean(axis=0) - (models + 1) / 2) ** 2).sum()
    within = ((ranked - (models + 1) / 2) ** 2).sum() / (sets * (models - 1))
    chi = float(between / within) if within else 0.0
    left = sets * (models - 1) - chi
    if left <= 1e-9:  # every data set ranks the models alike: F is infinite, however few data sets there are
        return Friedman(chi, float("inf"), float(chi2.sf(chi, models - 1)))
    value = (sets - 1) * chi / left
    return Friedman(chi, value, float(f_distribution.sf(value, models - 1, (models - 1) * (sets - 1))))


def critical_difference(models: int, sets: int, alpha: float = 0.05) -> float:
    """How far apart mean ranks must be for Nemenyi's test to tell two models apart (Demšar, section 3.2.2)."""
    from scipy.stats import studentized_range

    quantile = float(studentized_range.ppf(1 - alpha, models, np.inf)) / np.sqrt(2)
    return float(quantile * np.sqrt(models * (models + 1) / (6 * sets)))


def against_best(ranked: Floats) -> Floats:
    """p that a model's mean rank is the best one's, [models], 1 for the best; not yet corrected by `holm`.

    By the normal distribution of differences of mean ranks (Demšar, section 3.2.2, comparison with a control).
    """
    from scipy.stats import norm

    sets, models = ranked.shape
    means = ranked.mean(axis=0)
    z = (means - means.min()) / np.sqrt(models * (models + 1) / (6 * sets))
    return np.asarray(2 * norm.sf(z))


def holm(values: Sequence[float]) -> list[float]:
    """p-values corrected for their number, in the order given (Holm, Scand. Journal of Statistics 6, 1979)."""
    order = np.argsort(values, kind="stable")
    raised = np.array(values, dtype=np.float64)[order] * np.arange(len(values), 0, -1)
    result = np.empty(len(values))
    result[order] = np.minimum(np.maximum.accumulate(raised), 1.0) if len(values) else raised
    return [float(value) for value in result]


def brackets(means: Sequence[float], distance: float) -> list[tuple[int, ...]]:
    """Sets of models that are not told apart: mean ranks at most `distance` apart, the best first.

    Returns:
        Indices of `means`; only sets of two or more that no other set contains.
    """
    order = [int(at) for at in np.argsort(means, kind="stable")]
    found: list[tuple[int, ...]] = []
    for at, first in enumerate(order):
        near = tuple(one for one in order[at:] if means[one] - means[first] <= distance)
        if len(near) > 1 and not (found and set(near) <= set(found[-1])):
            found.append(near)
    return found


def corrected_t(differences: Sequence[float], share: float) -> dict[str, Any]:
    """Nadeau & Bengio's corrected resampled t (Machine Learning 52, 2003, section 3): splits that overlap.

    Args:
        differences: one a split, two at least. share: tested units to each that trains, the mean over splits.

    Returns:
        `mean`, `half` (half-width of the 95% interval) and the two-sided `p` that the mean is 0.
    """
    from scipy.stats import t

    values = np.array(differences, dtype=np.float64)
    mean, count = float(values.mean()), len(values)
    error = float(np.sqrt((1 / count + share) * values.var(ddof=1)))
    if not error:
        return {"mean": mean, "half": 0.0, "p": 1.0 if not mean else 0.0}
    p = float(2 * t.sf(abs(mean) / error, count - 1))
    return {"mean": mean, "half": float(t.ppf(0.975, count - 1) * error), "p": p}
