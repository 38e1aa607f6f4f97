"""Frames: what passes the door, and cutting sessions."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logbench import DataError, KeySequences, Lines, PluginError, Scores, Sessions

SEQUENCES = st.lists(st.lists(st.integers(0, 5), max_size=5), max_size=6)


def lists(sessions: Sessions) -> list[list[int]]:
    bounds = zip(sessions.offsets[:-1], sessions.offsets[1:], strict=True)
    return [sessions.keys[a:b].tolist() for a, b in bounds]


@given(SEQUENCES, st.integers(0, 6))
def test_sessions_are_their_lists(sequences: list[list[int]], vocabulary: int) -> None:
    sessions = Sessions.of(sequences, vocabulary)
    assert lists(sessions) == sequences
    assert sessions.lengths.tolist() == [len(s) for s in sequences]
    assert sessions.clipped_keys.tolist() == [min(k, vocabulary) for s in sequences for k in s]
    assert sessions.unseen.tolist() == [sum(k >= vocabulary for k in s) for s in sequences]
    assert sessions.units.tolist() == [i for i, s in enumerate(sequences) for _ in s]


@given(st.data(), SEQUENCES, st.booleans())
def test_take_cuts_every_column(data: st.DataObject, sequences: list[list[int]], masked: bool) -> None:
    total, units = sum(map(len, sequences)), len(sequences)
    whole = Sessions.of(
        sequences,
        3,
        labels=np.arange(units, dtype=np.int8),
        weights=np.arange(units) * 0.5,
        lines=np.arange(total) * 10,
        times=np.arange(total) * 100,
        line_labels=np.arange(total, dtype=np.int8),
    )
    if masked:
        mask = np.array(data.draw(st.lists(st.booleans(), min_size=units, max_size=units)), dtype=bool)
        which, chosen = mask, np.flatnonzero(mask)
    else:
        picks = data.draw(st.lists(st.integers(0, units - 1), max_size=8)) if units else []
        which = chosen = np.array(picks, dtype=np.int64)
    part = whole.take(which)
    starts = np.concatenate([[0], np.cumsum([len(s) for s in sequences])]).astype(int)
    events = [e for u in chosen for e in range(starts[u], starts[u + 1])]
    assert lists(part) == [sequences[u] for u in chosen]
    assert part.ids.to_list() == [f"s{u}" for u in chosen]
    assert part.labels is not None and part.labels.tolist() == chosen.tolist()
    assert part.weights.tolist() == (chosen * 0.5).tolist()
    assert part.lines is not None and part.lines.tolist() == [e * 10 for e in events]
    assert part.times is not None and part.times.tolist() == [e * 100 for e in events]
    assert part.line_labels is not None and part.line_labels.tolist() == events
    assert part.vocabulary == 3


def test_take_forgets_what_was_computed_of_the_whole() -> None:
    whole = Sessions.of([[0, 1], [1, 0, 5]], 2)
    assert len(whole.histories(1)) == 3 and len(whole.distinct) == 2 and whole.unseen.sum() == 1
    part = whole.take(np.array([0]))
    assert len(part.histories(1)) == 1 and len(part.distinct) == 1 and part.unseen.sum() == 0


def test_unlabelled_has_no_label_left() -> None:
    labels = np.array([1], dtype=np.int8)
    sessions = Sessions.of([[0]], 1, labels=labels, line_labels=labels).unlabelled()
    assert sessions.labels is None and sessions.line_labels is None


def test_histories_are_computed_once() -> None:
    sessions = Sessions.of([[0, 1, 2]], 3)
    assert sessions.histories(2) is sessions.histories(2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"keys": np.zeros(2, np.int64)}, "keys must be int32"),
        ({"offsets": np.array([0, 1], np.int64)}, "offsets end at 1"),
        ({"offsets": np.array([0, 1, 2], np.int64)}, "1 ids, 3 offsets"),
        ({"weights": np.ones(2)}, "2 weights"),
    ],
)
def test_sessions_refuse_what_does_not_fit(change: dict[str, Any], said: str) -> None:
    fits: dict[str, Any] = {
        "keys": np.zeros(2, np.int32),
        "offsets": np.array([0, 2], np.int64),
        "ids": pl.Series(["a"]),
        "vocabulary": 1,
    }
    assert len(Sessions(**fits)) == 1
    with pytest.raises(PluginError, match=said):
        Sessions(**{**fits, **change})


def test_lines_refuse_missing_and_mistyped_columns() -> None:
    fits = pl.LazyFrame({"line": [0], "message": ["a"]}, schema={"line": pl.UInt32, "message": pl.String})
    assert [len(batch) for batch in Lines(fits).batches()] == [1]
    with pytest.raises(PluginError, match="'message'"):
        Lines(fits.drop("message"))
    with pytest.raises(PluginError, match="'line' must be UInt32"):
        Lines(fits.with_columns(pl.col("line").cast(pl.Int64)))
    with pytest.raises(PluginError, match="'time' must be Datetime"):
        Lines(fits.with_columns(time=pl.lit("now")))


def test_lines_are_read_anew_in_bounded_batches() -> None:
    frame = pl.LazyFrame({"line": range(10)}, schema={"line": pl.UInt32}).with_columns(message=pl.lit("m"))
    lines = Lines(frame)
    for _ in range(2):
        batches = list(lines.batches(4))
        assert max(map(len, batches)) <= 4
        assert pl.concat(batches)["line"].to_list() == list(range(10))


def test_key_sequences_are_checked() -> None:
    schema: dict[str, Any] = {"unit": pl.String, "keys": pl.List(pl.Int64)}
    KeySequences(pl.DataFrame({"unit": ["a"], "keys": [[]]}, schema=schema))
    with pytest.raises(PluginError, match="'keys' must be List"):
        KeySequences(pl.DataFrame({"unit": ["a"], "keys": ["1 2"]}))
    for broken in (None, [1, None]):
        with pytest.raises(DataError, match="KeySequences"):
            KeySequences(pl.DataFrame({"unit": ["a"], "keys": [broken]}, schema=schema))


def test_plain_scores_become_scores() -> None:
    assert Scores.of([1, 2], 2, "m").primary.dtype == np.float64
    assert Scores.of(np.array([-np.inf, np.inf]), 2, "m").primary.tolist() == [-np.inf, np.inf]


@pytest.mark.parametrize(
    "answer",
    [
        np.zeros(3),
        np.zeros((2, 1)),
        np.array(["a", "b"]),
        None,
        np.array([0.0, np.nan]),
        Scores(np.zeros(2), event=np.zeros(1, np.int64)),
        Scores(np.zeros(2), ignoring=np.array([np.nan, 0])),
        Scores(np.zeros(2), ignoring_event=np.zeros(3, np.int64)),
        Scores(np.zeros(2), others={"nll": np.zeros(5)}),
        Scores(np.zeros(2), others={"weight": np.zeros(2)}),
    ],
)
def test_wrong_scores_are_the_models_fault(answer: Any) -> None:
    with pytest.raises(PluginError, match="model 'm'"):
        Scores.of(answer, 2, "m")
