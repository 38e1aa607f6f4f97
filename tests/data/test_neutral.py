"""Units as models get them, and the declared columns by which they are cut and handed out."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from logbench import Sessions
from logbench.data.derived import DERIVED, derived
from logbench.data.handout import FILES, read, write, write_templates
from logbench.data.neutral import neutral

NOT_COLUMNS = {"offsets", "vocabulary", "templates", "_cached", "_histories"}


def full() -> Sessions:
    """Three units with every column."""
    return Sessions.of(
        [[0, 1, 5], [2], [1, 1]],
        3,
        labels=np.array([0, 1, 0], dtype=np.int8),
        weights=np.array([1.0, 2.0, 3.0]),
        lines=np.arange(6, dtype=np.int64),
        times=np.arange(6, dtype=np.int64) * 10,
        line_labels=np.array([0, 0, 0, 1, 0, 0], dtype=np.int8),
        templates=("a", "b", "c"),
    )


def test_every_field_with_a_value_for_each_event_or_unit_is_a_declared_column() -> None:
    assert {field.name for field in dataclasses.fields(Sessions)} - NOT_COLUMNS == set(Sessions.columns)
    sessions = full()
    for name, column in Sessions.columns.items():
        assert len(getattr(sessions, name)) == (len(sessions.keys) if column.per == "event" else len(sessions))


@pytest.mark.parametrize("name", sorted(Sessions.columns))
def test_taking_units_cuts_every_column(name: str) -> None:
    sessions = full()
    values = pl.Series(getattr(sessions, name)).to_list()
    events = [[0, 1, 2], [3], [4, 5]]
    places = [4, 5, 0, 1, 2] if Sessions.columns[name].per == "event" else [2, 0]
    taken = sessions.take(np.array([2, 0]))
    assert pl.Series(getattr(taken, name)).to_list() == [values[place] for place in places]
    assert [taken.keys[a:b].tolist() for a, b in zip(taken.offsets, taken.offsets[1:], strict=False)] == [
        sessions.keys[events[unit]].tolist() for unit in (2, 0)
    ]


@pytest.mark.parametrize("name", [name for name, column in Sessions.columns.items() if column.optional])
def test_a_column_that_nobody_asks_for_is_not_handed_out(name: str) -> None:
    assert getattr(neutral(full(), frozenset()), name) is None


def test_what_was_computed_of_the_keys_is_kept_and_nothing_else() -> None:
    sessions = full()
    for name in DERIVED:
        getattr(sessions, name)
    sessions.cached("secret", lambda: sessions.labels)
    given = neutral(sessions, {"times"})
    assert set(derived(given)) == set(DERIVED) and not given._cached
    assert all(getattr(given, name) is getattr(sessions, name) for name in DERIVED)


def test_units_are_the_same_when_they_were_files(tmp_path: Path) -> None:
    given = neutral(full(), {"times", "line_labels"}, labelled=True)
    again = read(write(given, tmp_path / "units", write_templates(given.templates, tmp_path)))
    for name in ("offsets", *Sessions.columns):
        mine, theirs = (getattr(one, name) for one in (given, again))
        assert (mine is None) == (theirs is None)
        assert mine is None or pl.Series(mine).to_list() == pl.Series(theirs).to_list(), name
    assert FILES == ("offsets", "keys", "times")
