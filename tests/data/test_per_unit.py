"""Helpers by unit, against plain loops."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from logbench import count_matrix, events_of_units, first_per_unit, max_per_unit

UNITS = st.lists(st.lists(st.integers(0, 4), max_size=5), min_size=1, max_size=8)


def flat(units: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    keys = np.array([key for unit in units for key in unit], dtype=np.int32)
    return keys, np.concatenate([[0], np.cumsum([len(unit) for unit in units])]).astype(np.int64)


@given(UNITS, st.data())
def test_events_of_units(units: list[list[int]], data: st.DataObject) -> None:
    keys, offsets = flat(units)
    chosen = data.draw(st.lists(st.integers(0, len(units) - 1), max_size=8))
    events, begins = events_of_units(offsets, np.array(chosen, dtype=np.int64))
    assert keys[events].tolist() == [key for unit in chosen for key in units[unit]]
    assert np.diff(begins).tolist() == [len(units[unit]) for unit in chosen]


@given(UNITS)
def test_max_per_unit(units: list[list[int]]) -> None:
    keys, offsets = flat(units)
    found = max_per_unit(keys, offsets, empty=-1)
    assert found.dtype == keys.dtype and found.tolist() == [max(unit, default=-1) for unit in units]


@given(UNITS)
def test_first_per_unit(units: list[list[int]]) -> None:
    keys, offsets = flat(units)
    expected = [next((at for at, key in enumerate(unit) if key > 2), -1) for unit in units]
    assert first_per_unit(keys > 2, offsets).tolist() == expected


@given(UNITS)
def test_count_matrix(units: list[list[int]]) -> None:
    keys, offsets = flat(units)
    before = keys.copy()
    expected = [[unit.count(key) for key in range(6)] for unit in units]
    assert count_matrix(keys, offsets, 6).toarray().tolist() == expected
    assert keys.tolist() == before.tolist()


def test_indices_are_as_narrow_as_scikit_learn_wants_them() -> None:
    matrix = count_matrix(np.array([1, 1, 0], np.int32), np.array([0, 2, 3]), 2)
    assert matrix.indices.dtype == matrix.indptr.dtype == np.int32
