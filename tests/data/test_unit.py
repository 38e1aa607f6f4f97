"""Sessions to look at: one unit, slices, iteration, frames, and what they print."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import polars as pl
import pytest

from logbench import Sessions, Unit

SEQUENCES = [[0, 2, 1], [], [1, 7], list(range(3)) * 5]
MADE = Sessions.of(SEQUENCES, 3, labels=[0, -1, 1, 0], templates=("open", "close", "read"),
                   times=np.arange(20, dtype=np.int64) * 1_000_000)  # fmt: skip


def test_one_unit() -> None:
    unit = MADE[2]
    assert (unit.id, unit.keys.tolist(), unit.label, unit.texts) == ("s2", [1, 7], 1, ("close", None))
    assert unit.times is not None and unit.times.tolist() == [3_000_000, 4_000_000]
    assert MADE[-1].id == MADE[np.int64(3)].id == "s3"
    for place in (4, -5):
        with pytest.raises(IndexError, match=f"unit {place} of 4"):
            MADE[place]


def test_text_of_an_unseen_key_where_it_is_known() -> None:
    text_ids = np.array([0, 1, 2, 0, 1, 2], dtype=np.int32)
    made = Sessions.of([[0, 1, 5], [0, 1, 5]], 2, templates=("a <*>", "b"), texts=pl.Series(["a 1", "b", "odd"]),
                       text_ids=text_ids)  # fmt: skip
    assert made[1].texts == ("a <*>", "b", "odd")


def test_iteration_and_slices() -> None:
    assert [unit.keys.tolist() for unit in MADE] == SEQUENCES
    assert [unit.id for unit in MADE[1:3]] == ["s1", "s2"]
    assert [unit.id for unit in MADE[::-1]] == ["s3", "s2", "s1", "s0"]
    assert [unit.id for unit in MADE[np.array([True, False, True, False])]] == ["s0", "s2"]
    assert [unit.id for unit in MADE[[3, 0]]] == ["s3", "s0"]
    assert len(MADE[[]]) == 0 and [unit.id for unit in MADE[[-1]]] == ["s3"]
    with pytest.raises(IndexError):
        MADE[[True, False]]
    assert len(MADE[5:]) == 0 and MADE[:2].templates == MADE.templates


def test_frame() -> None:
    frame = MADE.to_polars()
    assert dict(frame.schema) == {
        "unit": pl.String, "keys": pl.List(pl.Int32), "times": pl.List(pl.Datetime("us")), "label": pl.Int8,
        "weight": pl.Float64,
    }  # fmt: skip
    assert frame["keys"].to_list() == SEQUENCES and frame["label"].to_list() == [0, -1, 1, 0]
    assert frame["times"][2].to_list() == [datetime(1970, 1, 1, 0, 0, 3), datetime(1970, 1, 1, 0, 0, 4)]
    assert Sessions.of([[1]]).to_polars().columns == ["unit", "keys", "weight"]
    assert Sessions.of([]).to_polars().height == 0


def test_what_they_print() -> None:
    assert repr(MADE) == "Sessions(4 units, 20 events, 3 known keys, 1 anomaly)"
    assert repr(MADE.unlabelled()) == "Sessions(4 units, 20 events, 3 known keys, no labels)"
    assert repr(MADE[0]) == "Unit('s0', normal, 3 events: 0 2 1)"
    assert repr(MADE[3]) == "Unit('s3', normal, 15 events: 0 1 2 0 1 2 0 1 2 0 …)"
    assert isinstance(MADE[1], Unit) and repr(MADE[1]) == "Unit('s1', 0 events: )"
