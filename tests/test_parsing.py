"""Keys: the parser learns from training messages alone, then it is frozen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logbench import DataError, KeySequences, PluginError
from logbench.grouping import Grouped, group_sequences
from logbench.parsing import Vocabulary, learn, sessions_of
from logbench_parsers.none import Verbatim

UNITS = st.lists(st.lists(st.integers(0, 9), max_size=6), min_size=1, max_size=8)


class Even:
    """Spies on what it is shown. Knows one template for each half: messages 2n and 2n + 1 are one."""

    masks: Sequence[tuple[str, str]] = ()
    shape: Sequence[tuple[str, str]] = ()

    def __init__(self) -> None:
        self.fitted: list[str] = []
        self.asked: list[str] = []
        self.templates: list[str] = []

    def fit(self, messages: pl.Series) -> Any:
        self.fitted = messages.to_list()
        self.templates = list(dict.fromkeys(str(int(m) // 2) for m in self.fitted))
        return self._keys(self.fitted)

    def match(self, messages: pl.Series) -> Any:
        self.asked += messages.to_list()
        return self._keys(messages.to_list())

    def _keys(self, messages: list[str]) -> Any:
        keys = {text: key for key, text in enumerate(self.templates)}
        return np.array([keys.get(str(int(m) // 2), -1) for m in messages], dtype=np.int32)

    def state(self) -> dict[str, Any]:
        return {"templates": self.templates}

    def restore(self, state: Any) -> None:
        self.templates = list(state["templates"])


def grouped_of(sequences: list[list[int]]) -> Grouped:
    frame = pl.DataFrame(
        {"unit": [f"u{i}" for i in range(len(sequences))], "keys": sequences},
        schema={"unit": pl.String, "keys": pl.List(pl.Int64)},
    )
    return group_sequences(KeySequences(frame))


@given(UNITS, st.data())
def test_keys_as_by_hand(sequences: list[list[int]], data: st.DataObject) -> None:
    if not any(sequences):
        with pytest.raises(DataError):
            grouped_of(sequences)
        return
    train = sorted(data.draw(st.sets(st.sampled_from(range(len(sequences))))))
    grouped, spy = grouped_of(sequences), Even()
    vocabulary = learn(grouped, np.array(train, dtype=np.int64), spy)
    seen = list(dict.fromkeys(str(k) for u in train for k in sequences[u]))
    assert spy.fitted == seen, "the training messages, in first-seen order, and no others"

    sessions = sessions_of(grouped, vocabulary, np.ones(len(sequences)))
    assert not set(spy.asked) & set(seen), "messages met in training are not asked again"
    templates = list(dict.fromkeys(int(m) // 2 for m in seen))
    assert vocabulary.size == len(templates) == sessions.vocabulary
    every = dict.fromkeys(k for s in sequences for k in s)
    unknown = [k for k in every if k // 2 not in templates]
    key = {k: templates.index(k // 2) for k in every if k not in unknown}
    key |= {k: len(templates) + i for i, k in enumerate(unknown)}
    assert sessions.keys.tolist() == [key[k] for s in sequences for k in s]
    assert sessions.unseen.tolist() == [sum(k in unknown for k in s) for s in sequences]

    state = json.loads(json.dumps(vocabulary.state()))
    again = Vocabulary.restore(Even(), state, vocabulary.templates)
    assert again.lookup(grouped.messages).tolist() == vocabulary.lookup(grouped.messages).tolist()


def test_training_order_is_that_of_the_lines_not_of_the_units() -> None:
    """Unit b begins later but holds the earlier of the two messages."""
    grouped = Grouped(
        units=pl.DataFrame({"unit": ["a", "b"], "label": [0, 0]}, schema_overrides={"label": pl.Int8}),
        offsets=np.array([0, 2, 4]),
        codes=np.array([0, 2, 1, 2], dtype=np.int32),
        lines=np.array([0, 3, 1, 2]),
        messages=pl.Series(["0", "2", "4"]),
    )
    spy = Even()
    learn(grouped, np.array([0, 1]), spy)
    assert spy.fitted == ["0", "2", "4"]


def test_messages_of_held_out_and_test_units_add_nothing() -> None:
    grouped = grouped_of([[1, 2], [3], [4, 1]])
    parser = Verbatim()
    vocabulary = learn(grouped, np.array([0]), parser)
    assert vocabulary.templates == ("1", "2")
    for _ in range(2):
        assert vocabulary.lookup(pl.Series(["4", "1", "3", "2"])).tolist() == [2, 0, 3, 1]
    assert list(parser.templates) == ["1", "2"]


@pytest.mark.parametrize(
    "keys", [[0], [0, 1, 2], [0.0, 1.0], [-1, 0], [0, 2], [[0, 1]]], ids=["few", "many", "float", "-1", "2", "2-d"]
)
def test_a_parser_that_breaks_its_contract_is_told(keys: list[Any]) -> None:
    class Broken(Even):
        def fit(self, messages: pl.Series) -> Any:
            super().fit(messages)
            return np.array(keys)

    with pytest.raises(PluginError, match="parser"):
        learn(grouped_of([[0, 2], [4]]), np.array([0]), Broken())


def test_a_parser_may_not_learn_while_it_matches() -> None:
    class Learns(Even):
        def match(self, messages: pl.Series) -> Any:
            return np.full(len(messages), len(self.templates), dtype=np.int32)

    vocabulary = learn(grouped_of([[0], [4]]), np.array([0]), Learns())
    with pytest.raises(PluginError, match="-1 … 0"):
        vocabulary.lookup(pl.Series(["4"]))


def test_the_real_archive_keeps_its_keys(shared_data: Path) -> None:
    lines = (shared_data / "deeplog_archive" / "hdfs_train").read_text().splitlines()[:500]
    sequences = [[int(word) for word in line.split()] for line in lines]
    grouped = grouped_of(sequences)
    vocabulary = learn(grouped, np.arange(400), Verbatim())
    sessions = sessions_of(grouped, vocabulary, np.ones(len(grouped)))
    known = {int(template) for template in vocabulary.templates}
    assert known == {k for s in sequences[:400] for k in s}
    for index in (0, 399, 450, 499):
        keys = sessions.take(np.array([index])).keys
        assert [int(grouped.messages[k]) if k >= len(known) else int(vocabulary.templates[k]) for k in keys] == [
            *sequences[index]
        ]
