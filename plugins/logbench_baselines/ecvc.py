"""Event count vector clustering (ECVC; Landauer et al., FSE 2024, section 3), plain and with idf weights."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from logbench import count_matrix

from .common import NpzState, check_keys, most_frequent, score_twice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from logbench import Context, Distinct, Scores, Sessions

    from . import EcvcConfig

# Most distances in memory at once (128 MiB).
CELLS = 2**24
# Training vectors from which a tree finds those that may be nearest.
MANY = 512
# Nearest vectors to ask the tree for at once: beyond it, equally far ones are asked for by their distance.
NEAR = 4
# Part of a distance by which the tree may round it otherwise, and the least such difference.
ROUNDING, LEAST = 1e-9, 1e-11
# Decimals of a distance, so that no verdict depends on rounding.
DECIMALS = 12
TINY = np.finfo(np.float64).tiny


class Ecvc(NpzState):
    """Score: distance to the nearest training vector, from 0 (its event mix is known) to 1 (nothing shared).

    Vectors are counts divided by the unit's length, so 5 : 10 equals 1 : 2. The distance of a and b is
    Σ |a·w − b·w| / Σ max(a·w, b·w). Weights w are 1, or with idf log10((1 + N) / units with the event), over
    the N training units; an unseen event weighs 1.
    """

    kept: Mapping[str, str] = {"train": "float64 [vectors, columns]", "weights": "float64 [columns]"}

    def __init__(self, config: EcvcConfig, idf: bool) -> None:
        self.config, self.idf = config, idf

    @property
    def name(self) -> str:
        """Its name in the registry."""
        return "ecvc-idf" if self.idf else "ecvc"

    def fit(self, train: Sessions, context: Context) -> Mapping[str, Any]:
        """Keep the distinct count vectors, at most the `max_train` most frequent."""
        bags, distinct = bags_of(train)
        counts = counts_of(bags)
        self.weights = idf_weights(counts, distinct.counts) if self.idf else np.ones(counts.shape[1])
        if len(bags) > self.config.max_train:
            context.note(
                f"{self.name}: compares with the {self.config.max_train:,} most frequent of {len(bags):,} count "
                "vectors of training (max_train)"
            )
        used = counts[most_frequent(bags, distinct.counts, self.config.max_train)]
        self.train = np.unique(_weighted(used, self.weights), axis=0)
        return {"train_distinct": len(distinct), "train_used": used.shape[0]}

    def fault(self) -> str:
        """There is a vector to be near to."""
        return "" if len(self.train) else "it has no vector"

    def score(self, sessions: Sessions, context: Context) -> Scores:
        """See `Model.score`; decided by the last event of the key most in excess of the nearest vector."""
        return score_twice(sessions, self._score)

    def _score(self, sessions: Sessions) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        check_keys(sessions.vocabulary, len(self.weights) - 1, "ecvc")
        bags, distinct = bags_of(sessions)
        counts = counts_of(bags)
        score, surplus = np.empty(len(bags)), np.empty(len(bags), dtype=np.int64)
        step = max(1, CELLS // max(self.train.shape))
        tree = cKDTree(self.train) if min(len(self.train), len(bags)) >= MANY else None
        for begin in range(0, len(bags), step):
            part = slice(begin, begin + step)
            rows = _weighted(counts[part], self.weights)
            score[part], nearest = nearest_rows(rows, self.train, tree)
            surplus[part] = (rows - self.train[nearest]).argmax(axis=1)
        score, surplus = score[distinct.inverse], surplus[distinct.inverse]
        return score, np.where(score > 0, _last_of(sessions, surplus), -1)


def bags_of(sessions: Sessions) -> tuple[Sessions, Distinct]:
    """Distinct count vectors as units of sorted keys (one key for all unseen), and the vector of each unit."""
    order = np.lexsort((sessions.clipped_keys, sessions.units))
    bags = replace(sessions, keys=sessions.clipped_keys[order], lines=None, times=None, line_labels=None)
    return bags.take(bags.distinct.first), bags.distinct


def counts_of(sessions: Sessions) -> csr_array:
    """Events of each unit by key, sparse float64 [units, vocabulary + 1]; the last column counts unseen events.

    One column is enough for unseen events: training has none, so each adds its whole share to the distance.
    """
    return count_matrix(sessions.clipped_keys, sessions.offsets, sessions.vocabulary + 1)


def _weighted(counts: csr_array, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weighted shares of each key, dense float64 [units, keys]; 0 for an empty unit."""
    dense = counts.toarray()
    shares: NDArray[np.float64] = dense / np.maximum(dense.sum(axis=1, keepdims=True), 1) * weights
    return shares


def idf_weights(counts: csr_array, repeats: NDArray[np.int64]) -> NDArray[np.float64]:
    """log10((1 + N) / units with the event), float64 [keys]; 1 for a key without units.

    Args:
        counts: sparse [distinct units, keys].
        repeats: int64 [distinct units], number of the N units that are equal to it.
    """
    having: NDArray[np.float64] = (counts > 0).astype(np.float64).T @ repeats.astype(np.float64)
    return np.where(having > 0, np.log10((1 + repeats.sum()) / np.maximum(having, 1)), 1.0)


def nearest_rows(
    rows: NDArray[np.float64], train: NDArray[np.float64], tree: cKDTree | None = None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Distance to the nearest row of `train`, and which it is, the first of equally near ones.

    A tree, if given, finds the rows that may be nearest; the result is the same. With D = Σ|a − b|, a distance of
    at most u means D ≤ u (Σa + Σb + D) / 2, and Σb ≤ Σa + D, so all such rows lie within a D that u gives.
    """
    if tree is None:
        distance = _distances(rows, train)
        return distance.min(axis=1), distance.argmin(axis=1)
    score, nearest = np.empty(len(rows)), np.empty(len(rows), dtype=np.int64)
    near, which = tree.query(rows, k=NEAR, p=1)
    sums, largest = rows.sum(axis=1), train.sum(axis=1).max()
    first = near[:, 0]
    least = 2 * first / np.maximum(sums + train[which[:, 0]].sum(axis=1) + first, TINY) + 2 * 10.0**-DECIMALS
    reach = np.full(len(rows), np.inf)
    some = least < 1  # else the row shares nothing with any other
    u, own = least[some], sums[some]
    reach[some] = np.minimum(u * own / (1 - u), u * (own + largest) / (2 - u)) * (1 + ROUNDING) + LEAST
    for at in range(len(rows)):
        within = which[at]
        if near[at, -1] <= reach[at]:  # there may be more of them
            within = np.array(tree.query_ball_point(rows[at], reach[at], p=1))
        within = np.sort(within)
        distance = _distances(rows[at : at + 1], train[within])[0]
        best = int(distance.argmin())
        score[at], nearest[at] = distance[best], within[best]
    return score, nearest


def _distances(rows: NDArray[np.float64], train: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of each pair, float64 [rows, train].

    With D = Σ|a − b|, Σ max(a, b) is (Σa + Σb + D) / 2, so one city-block distance gives both.
    """
    apart = cdist(rows, train, "cityblock")
    largest = apart + train.sum(axis=1) + rows.sum(axis=1, keepdims=True)
    distance: NDArray[np.float64] = (2 * apart / np.maximum(largest, TINY)).round(DECIMALS)
    return distance


def _last_of(sessions: Sessions, keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Index of the last event with key `keys[unit]` in each unit, int64 [units]; −1 if there is none."""
    last = np.full(len(sessions), -1, dtype=np.int64)
    at = np.flatnonzero(sessions.clipped_keys == keys[sessions.units])
    last[sessions.units[at]] = at - sessions.offsets[sessions.units[at]]
    return last
