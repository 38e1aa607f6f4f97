"""Distinct rows of units, and units without their unseen keys."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from rows import KEYS, counted, labelled

from logbench import PluginError, Sessions
from logbench.data.unit_rows import UnitRows, without_unseen
from logbench.torch import count_rows, padded


@pytest.mark.parametrize("keys_only", [True, False])
@pytest.mark.parametrize("make", [count_rows, lambda given: padded(given, 6)])
def test_each_distinct_row_is_there_once_with_its_units(make: Any, keys_only: bool) -> None:
    given = labelled(3, unseen=True)
    rows = UnitRows.of(given, make, keys_only)
    np.testing.assert_array_equal(rows.values[rows.inverse], make(given))
    assert len(rows) == len(np.unique(make(given), axis=0)) < len(given)
    assert rows.counts.sum() == len(given) and rows.counts.min() > 0
    order = np.random.default_rng(0).permutation(len(given))
    np.testing.assert_array_equal(UnitRows.of(given.take(order), make, keys_only).values, rows.values)


def test_units_without_events_have_no_row_and_there_may_be_none() -> None:
    rows = UnitRows.of(Sessions.of([[], [1], [], [1]], KEYS), count_rows, True)
    assert (rows.units.tolist(), rows.inverse.tolist(), rows.counts.tolist()) == ([1, 3], [0, 0], [2])
    assert len(UnitRows.of(Sessions.of([[], []], KEYS), count_rows, True)) == 0
    with pytest.raises(PluginError, match=r"an array \[1, ...\], a row a unit, got \[1\]"):
        UnitRows.of(Sessions.of([[1]], KEYS), lambda given: np.zeros(1), True)


def test_counts_are_those_of_a_plain_loop() -> None:
    given = labelled(4, unseen=True)
    np.testing.assert_array_equal(count_rows(given), counted(given))


def test_units_without_their_unseen_keys_keep_the_other_columns_of_the_other_events() -> None:
    given = Sessions.of(
        [[0, 9], [8], [], [9, 1, 1]],
        2,
        ids=["a", "b", "c", "d"],
        labels=np.array([0, 1, 0, 1], np.int8),
        times=np.arange(6) * 10,
        texts=pl.Series(["x", "y", "z"]),
        text_ids=np.array([0, 1, 2, 1, 0, 2], np.int32),
        messages=[f"line {at}" for at in range(6)],
    )
    bare = without_unseen(given)
    assert (bare.keys.tolist(), bare.offsets.tolist()) == ([0, 1, 1], [0, 1, 1, 1, 3])
    assert bare.times is not None and bare.times.tolist() == [0, 40, 50]
    assert bare.texts is not None and bare.texts.gather(bare.text_ids).to_list() == ["x", "x", "z"]
    assert bare.messages().to_list() == ["line 0", "line 4", "line 5"]
    assert bare.ids.to_list() == ["a", "b", "c", "d"]
    assert bare.labels is not None and bare.labels.tolist() == [0, 1, 0, 1]
