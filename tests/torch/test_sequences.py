"""Padded rows and running counts, against loops over lists."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from logbench import Sessions
from logbench.torch import key_vectors, padded, running_counts

UNITS = st.lists(st.lists(st.integers(0, 9), max_size=8), max_size=8)


@given(units=UNITS, length=st.integers(1, 9), last=st.booleans())
@settings(max_examples=60, deadline=None)
def test_rows_hold_the_first_or_last_keys_and_padding_is_no_unknown_key(
    units: list[list[int]], length: int, last: bool
) -> None:
    rows = padded(Sessions.of(units, vocabulary=5), length, "last" if last else "first")
    assert rows.shape == (len(units), length) and str(rows.dtype) == "int32"
    for row, unit in zip(rows.tolist(), units, strict=True):
        kept = unit[-length:] if last else unit[:length]
        assert row == [min(key, 5) for key in kept] + [6] * (length - len(kept))


def test_a_row_needs_a_length() -> None:
    with pytest.raises(ValueError, match="length = 0"):
        padded(Sessions.of([[1]], 2), 0)


def test_counts_run_along_each_row() -> None:
    rows = torch.randint(0, 4, (6, 7), generator=torch.Generator().manual_seed(0))
    counts = running_counts(rows, 5, torch.float64)
    assert counts.dtype == torch.float64
    for row, found in zip(rows.tolist(), counts.tolist(), strict=True):
        for step, at_step in enumerate(found):
            assert at_step == [row[: step + 1].count(code) for code in range(5)]


@given(units=UNITS)
@settings(max_examples=40, deadline=None)
def test_a_known_key_has_the_vector_of_its_events(units: list[list[int]]) -> None:
    vectors = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)
    ids = np.array([9 - key for unit in units for key in unit], dtype=np.int32)
    table = key_vectors(Sessions.of(units, 5, vectors=vectors, vector_ids=ids))
    there = {key for unit in units for key in unit}
    expected = [vectors[9 - key].tolist() if key in there else [0, 0, 0] for key in range(5)]
    assert table.dtype == np.float32 and table.tolist() == expected
