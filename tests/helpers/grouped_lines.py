"""Grouped lines that are kept in the cache, and how two of them are compared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from logbench.pipeline import grouped_cache
from logbench.pipeline.grouping import GroupedLines

FULL = GroupedLines(
    units=pl.DataFrame(
        {
            "unit": ["a", "ü"],
            "label": [1, -1],
            "first_line": [0, 1],
            "last_line": [4, 1],
            "part": ["train", "test"],
        },
        schema_overrides={"label": pl.Int8},
    ),
    offsets=np.array([0, 2, 3], dtype=np.int64),
    codes=np.array([0, 1, 0], dtype=np.int32),
    lines=np.array([0, 4, 1], dtype=np.int64),
    messages=pl.Series("message", ["x\ny", ""]),
    times=np.array([-1, 5, 10**15], dtype=np.int64),
    line_labels=np.array([0, 1, -1], dtype=np.int8),
    facts={"lines": 5, "events": 3},
)
BARE = replace(FULL, times=None, line_labels=None, units=FULL.units.drop("part"), sequences=True)
notes: list[str] = []


def loaded() -> GroupedLines | None:
    return grouped_cache.load("a-k", notes.append)


def assert_same(found: GroupedLines, expected: GroupedLines) -> None:
    assert found.units.equals(expected.units) and found.units.schema == expected.units.schema
    assert found.messages.equals(expected.messages)
    assert found.facts == expected.facts and found.sequences == expected.sequences
    for name in ("offsets", "codes", "lines", "times", "line_labels"):
        mine, theirs = getattr(found, name), getattr(expected, name)
        assert (mine is None) == (theirs is None), name
        if theirs is not None:
            assert mine.dtype == theirs.dtype and mine.tolist() == theirs.tolist(), name
