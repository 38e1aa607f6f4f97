"""What flat columns and offsets give by unit: events of some units, the largest value, the first place, counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from .distinct import index_type

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

T = TypeVar("T", bound=np.generic)


def events_of_units(offsets: NDArray[np.int64], units: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Where the events of some units are among all events, and where each of these units begins then.

    Args:
        offsets: int64 [units + 1]; unit i has the events `offsets[i]` to `offsets[i + 1]`.
        units: indices, any order, [chosen].

    Returns:
        Indices of the events, int32 [events of the chosen units], int64 where there are 2³¹ or more; and offsets
        of the chosen units, int64 [chosen + 1].

    Examples:
        >>> events, begins = events_of_units(np.array([0, 2, 5]), np.array([1, 0]))
        >>> events.tolist(), begins.tolist()
        ([2, 3, 4, 0, 1], [0, 3, 5])
    """
    lengths = offsets[1:][units] - offsets[:-1][units]
    begins = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    wide = index_type(max(int(offsets[-1]), int(begins[-1])))
    shift = (offsets[:-1][units] - begins[:-1]).astype(wide)
    return np.repeat(shift, lengths) + np.arange(begins[-1], dtype=wide), begins


def max_per_unit(values: NDArray[T], offsets: NDArray[np.int64], empty: float) -> NDArray[T]:
    """The largest value of each unit, of the type of `values`, [units].

    Args:
        values: flat, unit after unit, [items].
        offsets: int64 [units + 1]; unit i has the values `offsets[i]` to `offsets[i + 1]`.
        empty: what a unit without values has.

    Examples:
        >>> max_per_unit(np.array([3.0, 7.0, 5.0]), np.array([0, 2, 2, 3]), empty=0.0).tolist()
        [7.0, 0.0, 5.0]
    """
    has = np.diff(offsets) > 0
    result = np.full(len(has), empty, dtype=values.dtype)
    if has.any():
        result[has] = np.maximum.reduceat(values, offsets[:-1][has])
    return result


def first_per_unit(marked: NDArray[np.bool_], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Place within each unit of its first marked event, from 0, int64 [units]; −1 where none is marked.

    Args:
        marked: flat, unit after unit, bool [events]. offsets: int64 [units + 1].

    Examples:
        >>> first_per_unit(np.array([False, True, True, False]), np.array([0, 3, 3, 4])).tolist()
        [1, -1, -1]
    """
    first = np.full(len(offsets) - 1, -1, dtype=np.int64)
    at = np.flatnonzero(marked)[::-1]  # the first one of a unit is written last
    units = np.searchsorted(offsets, at, side="right") - 1
    first[units] = at - offsets[units]
    return first


def count_matrix(keys: NDArray[np.int32], offsets: NDArray[np.int64], columns: int) -> csr_array:
    """How often each unit has each key, sparse float64 [units, columns].

    Args:
        keys: flat, unit after unit, 0 to `columns` − 1, [events]. offsets: int64 [units + 1].

    Examples:
        >>> count_matrix(np.array([1, 1, 0], np.int32), np.array([0, 2, 3]), 2).toarray().tolist()
        [[0.0, 2.0], [1.0, 0.0]]
    """
    from scipy.sparse import csr_array

    # scikit-learn takes no 64-bit indices; a copy, since the sum sorts the keys of each unit in place
    begins = offsets.astype(index_type(int(offsets[-1])))
    matrix = csr_array((np.ones(len(keys)), keys, begins), shape=(len(offsets) - 1, columns), copy=True)
    matrix.sum_duplicates()
    return matrix
