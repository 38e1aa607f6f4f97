"""Session × event count matrices, one row for each distinct count vector."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from logbench import DataError, Sessions, by_places, count_matrix, first_per_unit, key_places

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Counts:
    """Distinct count vectors of units, in the order of `np.unique`: what learns from them sees no order of units.

    Attributes:
        matrix: float64 CSR [distinct, columns]; column e counts event e, the last one unseen events if asked.
        repeats: int64 [distinct], units that have the vector.
        inverse: int32 [units], the vector of each unit.
    """

    matrix: Any
    repeats: NDArray[np.int64]
    inverse: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.repeats)


def count(sessions: Sessions, unseen_column: bool) -> Counts:
    """Count events by unit, once for all models that are given the same sessions.

    Equal sequences have equal counts, so only distinct sequences are sorted, and equal sorted sequences are
    equal count vectors: no matrix of all units is ever built.
    """
    name = f"logbench_classic.counts {'with' if unseen_column else 'without'} unseen"
    return sessions.cached(name, lambda: _count(sessions, unseen_column))


def _count(sessions: Sessions, unseen_column: bool) -> Counts:
    sequences = sessions.distinct
    few = _sorted(sessions.take(sequences.first), unseen_column)
    vectors = few.distinct
    rows = few.take(vectors.first)
    columns = sessions.vocabulary + unseen_column
    matrix = count_matrix(rows.keys, rows.offsets, columns)
    order = _ascending(matrix)
    place = np.empty(len(order), dtype=np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    inverse = place[vectors.inverse[sequences.inverse]]
    return Counts(matrix[order], np.bincount(inverse, minlength=len(rows)).astype(np.int64), inverse)


def _ascending(matrix: Any) -> NDArray[np.int64]:
    """Order of the rows by their first column, then by the second, and so on, int64 [rows].

    Of two rows the one that has an earlier column, or more in it, is greater: bytes of columns, counted from the
    end, and of their counts compare alike, without a dense copy.
    """
    parts = np.empty((len(matrix.data), 2), dtype=">u4")
    parts[:, 0], parts[:, 1] = matrix.shape[1] - 1 - matrix.indices, matrix.data
    names = [parts[begin:end].tobytes() for begin, end in pairwise(matrix.indptr.tolist())]
    return np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.int64)


def _sorted(sessions: Sessions, unseen_column: bool) -> Sessions:
    """The same units with keys in ascending order, unseen ones folded or left out."""
    keys, units = sessions.clipped_keys, sessions.units
    if not unseen_column:
        known = keys < sessions.vocabulary
        keys, units = keys[known], units[known]
    lengths = np.bincount(units, minlength=len(sessions))
    return Sessions(
        keys=keys[np.lexsort((keys, units))],
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        vocabulary=sessions.vocabulary,
        ids=sessions.ids,
    )


def columns_of(sessions: Sessions, most: int) -> NDArray[np.int32]:
    """The column of each key, int32 [vocabulary]: its own, or one for all but the `most` − 1 of most units."""
    places = key_places(sessions, most)
    return np.arange(sessions.vocabulary, dtype=np.int32) if places is None else places


def folded(sessions: Sessions, columns: NDArray[np.int32]) -> Sessions:
    """The same units with the column of each key as its key; the same sessions where each key has its own.

    Raises:
        DataError: the columns are of another vocabulary.
    """
    if len(columns) != sessions.vocabulary:
        raise DataError(f"the model was trained on {len(columns):,} keys, not on {sessions.vocabulary:,}")
    own = int(columns.max(initial=-1)) + 1 == len(columns)
    return sessions if own else by_places(sessions, columns)


def idf(counts: Counts) -> NDArray[np.float64]:
    """ln(units / units with the event), float64 [columns], as loglizer has it: 1e-8 guards empty columns.

    An event of all units weighs 0, not the rounding that the guard leaves.
    """
    having, units = (counts.matrix > 0).T @ counts.repeats, counts.repeats.sum()
    return np.where(having == units, 0.0, np.log(units / (having + 1e-8)))


def first_events(sessions: Sessions, columns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Index within each unit of the first event of column `columns[unit]`, int64 [units]; −1 where none is."""
    return first_per_unit(sessions.clipped_keys == columns[sessions.units], sessions.offsets)


def strongest(shares: Any) -> NDArray[np.int64]:
    """Column of the largest positive entry of each row of a CSR or dense matrix, int64 [rows]; −1 where none."""
    dense = shares.toarray() if sp.issparse(shares) else shares
    if not dense.shape[1]:
        return np.full(len(dense), -1, dtype=np.int64)
    best = dense.argmax(axis=1)
    return np.where(dense[np.arange(len(dense)), best] > 0, best, -1)
