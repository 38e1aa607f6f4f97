"""Event count vector clustering (ECVC; Landauer et al., FSE 2024, section 3), plain and with idf weights."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from logbench import count_matrix, first_per_unit, max_per_unit

from .common import NpzState, check_keys, most_frequent, score_twice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from logbench import Context, Distinct, Scores, Sessions

    from . import EcvcConfig

# Most distances in memory at once (32 MiB).
CELLS = 2**22
# Share of the training vectors from which a key's shares stand in a dense table, not in a list.
COMMON = 0.1
# Differences from which scipy.spatial, which is faster, is worth the tenth of a second that it takes to load.
LOADED = 2**23
# Decimals of a distance, so that no verdict depends on rounding.
DECIMALS = 12
TINY = np.finfo(np.float64).tiny


class Ecvc(NpzState):
    """Score: distance to the nearest training vector, from 0 (its event mix is known) to 1 (nothing shared).

    Vectors are counts divided by the unit's length, so 5 : 10 equals 1 : 2. The distance of a and b is
    Σ |a·w − b·w| / Σ max(a·w, b·w). Weights w are 1, or with idf log10((1 + N) / units with the event), over
    the N training units; an unseen event weighs 1.
    """

    kept: Mapping[str, str] = {
        "values": "float64 [entries]",
        "columns": "int32 [entries]",
        "offsets": "int64 [vectors + 1]",
        "weights": "float64 [columns]",
    }

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
        rows = _distinct(_weighted(used, self.weights))
        self.values, self.columns = rows.data, rows.indices.astype(np.int32)
        self.offsets = rows.indptr.astype(np.int64)
        return {"train_distinct": len(distinct), "train_used": used.shape[0]}

    def fault(self) -> str:
        """There is a vector to be near to, and its columns are those of the weights."""
        if len(self.offsets) < 2:
            return "it has no vector"
        if self.offsets[0] or self.offsets[-1] != len(self.values) or (np.diff(self.offsets) < 0).any():
            return "its offsets do not cut the entries into vectors"
        inside = (self.columns >= 0) & (self.columns < len(self.weights))
        return "" if inside.all() else "an entry is in a column that there is not"

    def score(self, sessions: Sessions, context: Context) -> Scores:
        """See `Model.score`; decided by the last event of the key most in excess of the nearest vector."""
        return score_twice(sessions, self._score)

    def _score(self, sessions: Sessions) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        check_keys(sessions.vocabulary, len(self.weights) - 1, "ecvc")
        bags, distinct = bags_of(sessions)
        counts = counts_of(bags)
        rows, known = _weighted(counts, self.weights), Known(self._train)
        score, nearest = known.nearest(rows)
        surplus = _surplus(rows, self._train, nearest)
        score, surplus = score[distinct.inverse], surplus[distinct.inverse]
        return score, np.where(score > 0, _last_of(sessions, surplus), -1)

    @property
    def _train(self) -> csr_array:
        shape = len(self.offsets) - 1, len(self.weights)
        return csr_array((self.values, self.columns, self.offsets), shape=shape)


class Known:
    """Vectors to be near to, sparse float64 [vectors, columns], with an exact search.

    Keys of many vectors stand in a dense table. Of the others a list of each key names the vectors that have it,
    so that a vector costs as much as it shares with others, however many keys there are.
    """

    def __init__(self, rows: csr_array) -> None:
        having = np.bincount(rows.indices, minlength=rows.shape[1])
        self._common = np.flatnonzero(having > COMMON * rows.shape[0])
        self._rare = np.flatnonzero((having > 0) & (having <= COMMON * rows.shape[0]))
        self._table = rows[:, self._common].toarray()
        self._lists = rows[:, self._rare].tocsc()
        self._sums = _sums(rows)
        self._rest = self._sums - self._table.sum(axis=1)

    def nearest(self, rows: csr_array) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Distance of each row to the nearest vector, and which it is, the first of equally near ones.

        With D = Σ|a − b|, Σ max(a, b) is (Σa + Σb + D) / 2, and D is Σa + Σb − 2 Σ min(a, b).
        """
        score, nearest = np.empty(rows.shape[0]), np.empty(rows.shape[0], dtype=np.int64)
        step = max(1, CELLS // len(self._sums))
        for begin in range(0, rows.shape[0], step):
            part = rows[begin : begin + step]
            sums, table = _sums(part), part[:, self._common]
            apart = city_blocks(table.toarray(), self._table)
            apart += self._rest + (sums - _sums(table))[:, None]
            self._take_shared(apart, part[:, self._rare])
            np.maximum(apart, 0, out=apart)
            distance = (2 * apart / np.maximum(apart + self._sums + sums[:, None], TINY)).round(DECIMALS)
            score[begin : begin + step], nearest[begin : begin + step] = (
                distance.min(axis=1),
                distance.argmin(axis=1),
            )
        return score, nearest

    def _take_shared(self, apart: NDArray[np.float64], rows: csr_array) -> None:
        """Take off twice what rows and vectors share in keys that few vectors have."""
        lists = self._lists
        for at in np.flatnonzero(np.diff(rows.indptr)):
            entries = slice(rows.indptr[at], rows.indptr[at + 1])
            columns = rows.indices[entries]
            begins, sizes = lists.indptr[columns], lists.indptr[columns + 1] - lists.indptr[columns]
            ends = np.cumsum(sizes)
            places = np.arange(ends[-1]) + np.repeat(begins - ends + sizes, sizes)
            least = np.minimum(lists.data[places], np.repeat(rows.data[entries], sizes))
            apart[at] -= 2 * np.bincount(lists.indices[places], least, apart.shape[1])


def city_blocks(rows: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.float64]:
    """Σ |a − b| of each row and each known vector, summed column after column, float64 [rows, known]."""
    if rows.size * len(known) > LOADED:
        from scipy.spatial.distance import cdist

        many: NDArray[np.float64] = cdist(rows, known, "cityblock")
        return many
    apart, step = np.zeros((len(rows), len(known))), np.empty((len(rows), len(known)))
    for ours, theirs in zip(rows.T, known.T, strict=True):
        np.subtract(ours[:, None], theirs, out=step)
        apart += np.abs(step, out=step)
    return apart


def _sums(rows: csr_array) -> NDArray[np.float64]:
    """Sum of each row, one entry after the other, so that equal rows have equal sums, float64 [rows]."""
    return np.asarray(rows @ np.ones(rows.shape[1]))


def _distinct(rows: csr_array) -> csr_array:
    """Distinct rows, ascending by their first column, then by the second, and so on, without a dense copy."""
    rows.sort_indices()
    parts = np.empty((len(rows.data), 2), dtype=">u8")
    # Of two rows the one that has an earlier column, or more in it, is greater; floats order as their bits.
    parts[:, 0], parts[:, 1] = rows.shape[1] - 1 - rows.indices, rows.data.view(np.uint64)
    names = [parts[begin:end].tobytes() for begin, end in pairwise(rows.indptr.tolist())]
    first = dict(zip(reversed(names), reversed(range(len(names))), strict=True))
    return rows[np.array([first[name] for name in sorted(first)], dtype=np.int64)]


def _surplus(rows: csr_array, train: csr_array, nearest: NDArray[np.int64]) -> NDArray[np.int64]:
    """Column in which each row exceeds its nearest vector most, int64 [rows]; the first of equal ones."""
    more = (rows - train[nearest]).tocsr()
    more.sort_indices()
    offsets = more.indptr.astype(np.int64)
    best = max_per_unit(more.data, offsets, 0.0)
    place = first_per_unit((more.data > 0) & (more.data == np.repeat(best, np.diff(offsets))), offsets)
    found = np.zeros(rows.shape[0], dtype=np.int64)
    found[place >= 0] = more.indices[(offsets[:-1] + place)[place >= 0]]
    return found


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


def _weighted(counts: csr_array, weights: NDArray[np.float64]) -> csr_array:
    """Weighted shares of each key, sparse float64 [units, keys] without zeros."""
    totals = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()
    sizes = np.diff(counts.indptr)
    shares = counts.data / np.repeat(totals, sizes) * weights[counts.indices]
    rows = csr_array((shares, counts.indices, counts.indptr), shape=counts.shape)
    rows.eliminate_zeros()
    return rows


def idf_weights(counts: csr_array, repeats: NDArray[np.int64]) -> NDArray[np.float64]:
    """log10((1 + N) / units with the event), float64 [keys]; 1 for a key without units.

    Args:
        counts: sparse [distinct units, keys].
        repeats: int64 [distinct units], number of the N units that are equal to it.
    """
    having: NDArray[np.float64] = (counts > 0).astype(np.float64).T @ repeats.astype(np.float64)
    return np.where(having > 0, np.log10((1 + repeats.sum()) / np.maximum(having, 1)), 1.0)


def _last_of(sessions: Sessions, keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Index of the last event with key `keys[unit]` in each unit, int64 [units]; −1 if there is none."""
    last = np.full(len(sessions), -1, dtype=np.int64)
    at = np.flatnonzero(sessions.clipped_keys == keys[sessions.units])
    last[sessions.units[at]] = at - sessions.offsets[sessions.units[at]]
    return last
