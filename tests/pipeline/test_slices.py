"""Slices of a stream: their order, keys that grow, drift, and the ledger that refuses to learn before a test."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from logbench import ConfigError, DataError, EvaluationProtocol, KeySequences, LeakError, Sessions
from logbench.pipeline.drift import drift_of, jensen_shannon
from logbench.pipeline.grouping import GroupedLines, group_sequences
from logbench.pipeline.growing_keys import GrowingKeys
from logbench.pipeline.parsing import learn, sessions_of
from logbench.pipeline.slices import slices_of
from logbench.pipeline.split import Split, split_units
from logbench.pipeline.stream_audit import TestThenTrain

ASKED = {"train": "ratio", "procedure": "prequential"}


def asked(**fields: Any) -> EvaluationProtocol:
    return EvaluationProtocol(**{**ASKED, **fields})


@given(st.lists(st.integers(0, 30), min_size=4, max_size=20), st.integers(1, 4))
def test_every_unit_of_a_slice_ends_before_those_of_the_next(last: list[int], slices: int) -> None:
    units = pl.DataFrame({"first_line": list(range(len(last))), "last_line": last})
    parts = slices_of(units, np.arange(len(last)), asked(slices=slices))
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(last)))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    ends = [[last[unit] for unit in part] for part in parts]
    assert all(max(some) <= min(others) for some, others in pairwise(ends))


def test_slices_of_a_number_of_units_and_more_slices_than_units() -> None:
    units = pl.DataFrame({"first_line": range(5), "last_line": range(5)})
    assert [part.tolist() for part in slices_of(units, np.arange(1, 5), asked(slice_units=3))] == [[1, 2, 3], [4]]
    with pytest.raises(DataError, match=r"protocol.slices=10, but there are 5 test units"):
        slices_of(units, np.arange(5), asked())


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=8))
def test_the_distance_is_scipys(counts: list[tuple[int, int]]) -> None:
    some, others = np.array(counts).T
    found = jensen_shannon(some, others)
    if not some.sum() or not others.sum():
        assert found is None
    else:
        assert found == pytest.approx(jensenshannon(some, others, base=2), abs=1e-7)


def test_drift_of_slices() -> None:
    sessions = Sessions.of([[0, 0, 1], [0, 1], [2, 3], []], vocabulary=2)
    same, new, empty = drift_of(sessions, np.array([0, 1]), [np.array([1]), np.array([2, 1]), np.array([3])])
    assert same["unseen"] == 0 and same["step"] is None
    assert same["distance"] == pytest.approx(jensenshannon([3, 2, 0], [1, 1, 0], base=2))
    assert new["unseen"] == 0.5 and new["units_unseen"] == 0.5
    assert new["step"] == pytest.approx(jensenshannon([1, 1, 0], [1, 1, 2], base=2))
    assert empty["unseen"] is None and empty["distance"] is None and empty["units_unseen"] == 0


class Verbatim:
    """Every message is a template."""

    masks, shape = (), ()

    def __init__(self) -> None:
        self.templates: list[str] = []

    def fit(self, messages: pl.Series) -> Any:
        self.templates = messages.to_list()
        return np.arange(len(messages), dtype=np.int32)

    def match(self, messages: pl.Series) -> Any:
        known = {text: key for key, text in enumerate(self.templates)}
        return np.array([known.get(text, -1) for text in messages], dtype=np.int32)

    def state(self) -> Any:
        return {"templates": self.templates}


def stream(*units: str) -> GroupedLines:
    """One unit a text, an event a digit, one after the other."""
    frame = pl.DataFrame(
        {"unit": [f"u{i}" for i in range(len(units))], "keys": [[int(key) for key in text] for text in units]}
    )
    return group_sequences(KeySequences(frame))


def test_a_new_template_is_unseen_until_its_slice_was_tested_and_keys_stay() -> None:
    grouped = stream("12", "13", "324", "493")
    vocabulary = learn(grouped, np.array([0]), Verbatim())  # type: ignore[arg-type]
    base = sessions_of(grouped, vocabulary, np.ones(4))
    keys = GrowingKeys(grouped, vocabulary, Verbatim)  # type: ignore[arg-type]
    assert [grouped.messages[int(at)] for at in keys.learn(np.array([1]))] == ["3"]
    keys.learn(np.array([2]))
    assert keys.sizes == [2, 3, 4]
    at_first, then, last = (keys.sessions(base, after) for after in range(3))
    assert at_first.keys.tolist() == base.keys.tolist()  # those of a batch run
    assert (then.vocabulary, then.templates, then.unseen.tolist()) == (3, ("1", "2", "3"), [0, 0, 1, 2])
    assert (last.vocabulary, last.unseen.tolist()) == (4, [0, 0, 0, 1])
    for earlier, later in ((at_first, then), (then, last)):
        known = earlier.keys < earlier.vocabulary
        assert earlier.keys[known].tolist() == later.keys[known].tolist()


def ledger(delay: int = 0) -> tuple[TestThenTrain, GroupedLines, Split]:
    grouped = stream("12", "13", "14", "15", "16", "17")
    split = split_units(grouped.units, asked(train_ratio=0.34, content="mixed", held_out=0.0))
    return TestThenTrain(grouped, split, delay), grouped, split


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda book: book.learn(np.array([3])), "unit u3 trains before it was tested"),
        (lambda book: book.test(np.array([1])), "unit u1 trained before it was tested"),
        (lambda book: [book.test(np.array([2])), book.test(np.array([2]))], "unit u2 is tested twice"),
        (lambda book: [book.test(np.array([4])), book.test(np.array([3]))], "is tested after a unit that ended"),
        (lambda book: book.tell(np.array([2])), "unit u2 has a label that is told too early"),
        (lambda book: [book.test(np.array([2, 3])), book.tell(np.array([3]))], "unit u3 has a label that is told"),
        (lambda book: [book.test(np.array([3])), book.parse(np.array([3]))], "that no tested unit holds: 4"),
    ],
)
def test_learning_before_the_test_is_refused(wrong: Any, said: str) -> None:
    book, grouped, split = ledger(delay=1)
    assert split.train.tolist() == [0, 1] and grouped.messages.to_list() == list("1234567")
    with pytest.raises(LeakError, match=said):
        wrong(book)


def test_what_comes_after_its_test_is_counted() -> None:
    book, _, _ = ledger(delay=1)
    book.test(np.array([2, 3]))
    book.learn(np.array([0, 2, 3]))
    book.tell(np.array([2]))
    assert book.facts() == {"tested": 2, "learned": 2, "told": 1, "order": "last lines"}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"procedure": "prequential"}, "protocol.train=first does not cut all units at one time"),
        ({**ASKED, "threshold": "oracle"}, "protocol.threshold=oracle is chosen on labels of the future"),
        ({**ASKED, "cut": "node"}, "protocol.cut=node does not cut"),
        ({**ASKED, "contamination": 0.1}, "protocol.contamination makes training and test units unlike"),
        ({**ASKED, "feedback_delay": 5}, "protocol.feedback_budget=0 tells none"),
        ({**ASKED, "unstable": "merge"}, "protocol.unstable=merge changes keys of the training's parser"),
        ({"slices": 3}, "protocol.slices is for slices, but protocol.procedure=batch has none"),
        ({"feedback_budget": 3}, "protocol.feedback_budget is for slices"),
    ],
)
def test_what_would_come_from_the_future_is_refused(fields: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        EvaluationProtocol(**fields)
