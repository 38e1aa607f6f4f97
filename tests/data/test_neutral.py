"""Units as models get them, and the declared columns by which they are cut and handed out."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from logbench import PluginError, Sessions
from logbench.data.derived import DERIVED, derived
from logbench.data.handout import FILES, read, write, write_templates
from logbench.data.neutral import neutral

NOT_COLUMNS = {"vectors", "offsets", "vocabulary", "templates", "texts", "raw", "_cached", "_histories"}


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
        texts=pl.Series(["b", "c", "x", "y"]),
        text_ids=np.array([3, 0, 2, 1, 0, 0], dtype=np.int32),
        vectors=np.arange(8, dtype=np.float32).reshape(4, 2),
        vector_ids=np.array([3, 0, 2, 1, 0, 0], dtype=np.int32),
    )


def values(sessions: Sessions, name: str) -> list[Any]:
    """A column; the texts and vectors themselves for their places."""
    column = pl.Series(getattr(sessions, name))
    if name == "vector_ids" and sessions.vectors is not None:
        return sessions.vectors[column.to_numpy()].tolist()  # type: ignore[no-any-return]
    return (
        sessions.texts.gather(column) if name == "text_ids" and sessions.texts is not None else column
    ).to_list()


def test_every_field_with_a_value_for_each_event_or_unit_is_a_declared_column() -> None:
    assert {field.name for field in dataclasses.fields(Sessions)} - NOT_COLUMNS == set(Sessions.columns)
    sessions = full()
    for name, column in Sessions.columns.items():
        assert len(getattr(sessions, name)) == (len(sessions.keys) if column.per == "event" else len(sessions))


@pytest.mark.parametrize("name", sorted(Sessions.columns))
def test_taking_units_cuts_every_column(name: str) -> None:
    sessions = full()
    whole = values(sessions, name)
    events = [[0, 1, 2], [3], [4, 5]]
    places = [4, 5, 0, 1, 2] if Sessions.columns[name].per == "event" else [2, 0]
    taken = sessions.take(np.array([2, 0]))
    assert values(taken, name) == [whole[place] for place in places]
    assert [taken.keys[a:b].tolist() for a, b in zip(taken.offsets, taken.offsets[1:], strict=False)] == [
        sessions.keys[events[unit]].tolist() for unit in (2, 0)
    ]


@pytest.mark.parametrize("name", [name for name, column in Sessions.columns.items() if column.optional])
def test_a_column_that_nobody_asks_for_is_not_handed_out(name: str) -> None:
    assert getattr(neutral(full(), frozenset()), name) is None


def test_texts_are_those_of_the_units_in_first_seen_order() -> None:
    taken = full().take(np.array([2, 0]))
    assert taken.texts is not None and taken.text_ids is not None
    assert taken.texts.to_list() == ["b", "y", "x"] and taken.text_ids.tolist() == [0, 0, 1, 0, 2]
    assert len(full().take(np.array([], dtype=int)).texts) == 0  # type: ignore[arg-type]
    bare = full().drop("text_ids")
    assert bare.texts is None and bare.take(np.array([1])).texts is None
    with pytest.raises(PluginError, match="texts and text_ids"):
        replace(full(), texts=None)


def test_what_was_computed_of_the_keys_is_kept_and_nothing_else() -> None:
    sessions = full()
    for name in DERIVED:
        getattr(sessions, name)
    sessions.cached("secret", lambda: sessions.labels)
    given = neutral(sessions, {"times"})
    assert set(derived(given)) == set(DERIVED) and not given._cached
    assert all(getattr(given, name) is getattr(sessions, name) for name in DERIVED)


def test_units_are_the_same_when_they_were_files(tmp_path: Path) -> None:
    given = neutral(full(), {"times", "line_labels", "texts", "vectors"}, labelled=True)
    again = read(write(given, tmp_path / "units", write_templates(given.templates, tmp_path)))
    for name in ("offsets", *Sessions.columns):
        mine, theirs = (getattr(one, name) for one in (given, again))
        assert (mine is None) == (theirs is None)
        assert mine is None or pl.Series(mine).to_list() == pl.Series(theirs).to_list(), name
    assert given.texts is not None and again.texts is not None and given.texts.to_list() == again.texts.to_list()
    assert given.vectors is not None and again.vectors is not None
    np.testing.assert_array_equal(again.vectors, given.vectors)
    assert set(FILES) == {"offsets", "vectors", "keys", "times", "text_ids", "vector_ids"}
