"""What units without a label are taught, by clusters of units (Yang et al., ICSE 2021, section III-C)."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.cluster import HDBSCAN
from sklearn.decomposition import FastICA
from sklearn.exceptions import ConvergenceWarning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .options import PleLogConfig

NORMAL, NOISE = 0, -1


def clustered(
    sums: NDArray[np.float64], config: PleLogConfig, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The cluster of each unit, int64 [units], −1 for none; how strongly it belongs there, 0 to 1, float64.

    Vectors become independent components first, no more than they have dimensions. A cluster has at most a quarter
    of the units as its smallest size.

    Args:
        sums: sum of the vectors of each unit's events, float64 [units, W].
    """
    centred = sums - sums.mean(0)
    components = min(config.components, int(np.linalg.matrix_rank(centred)))
    if components:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the last step is as good as any
            ica = FastICA(components, whiten="unit-variance", random_state=seed)
            centred = ica.fit_transform(centred)
    least = max(2, min(config.cluster, len(sums) // 4))
    found: Any = HDBSCAN(least, min_samples=least, copy=True).fit(centred)
    clusters: NDArray[np.int64] = np.maximum(found.labels_.astype(np.int64), NOISE)
    return clusters, found.probabilities_.astype(np.float64)


def guessed(
    clusters: NDArray[np.int64],
    strength: NDArray[np.float64],
    labels: NDArray[np.int8],
    same: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """What each unit is taught, float64 [units]: its label, or a guess from 0 (normal) to 1 (anomalous).

    A cluster with a known normal unit is normal, any other anomalous; the less a unit belongs to it, the nearer to
    .5 its guess. A unit in no cluster is normal where it equals a known normal one, else anomalous, without doubt,
    as published.

    Args:
        labels: int8 [units], −1 where unknown. same: whether a unit equals a known normal one, bool [units].

    Examples:
        >>> clusters, strength = np.array([0, 0, 1, -1]), np.array([1.0, 0.8, 0.6, 0.0])
        >>> guessed(clusters, strength, np.array([0, -1, -1, -1], np.int8), np.array([True, False, False, False]))
        array([0. , 0.1, 0.8, 1. ])
    """
    inside = clusters > NOISE
    normal = np.where(inside, np.isin(clusters, clusters[(labels == NORMAL) & inside]), same)
    doubt = np.where(inside, 1 - np.nan_to_num(strength), 0)
    return np.where(labels >= 0, labels, np.where(normal, doubt / 2, 1 - doubt / 2))
