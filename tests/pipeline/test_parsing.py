"""Keys: the parser learns from training messages alone, then it is frozen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelled_log import registry, run_one, write

from logbench import DataError, KeySequences, ParserComponent, PluginError
from logbench.base.progress import silent
from logbench.components.configured import configured
from logbench.components.registry import Registry
from logbench.deploy.score_files import score_bundle
from logbench.pipeline.coding import read_lines
from logbench.pipeline.grouping import GroupedLines, group_lines, group_sequences
from logbench.pipeline.parsing import Vocabulary, learn, sessions_of
from logbench.running.bundle import Bundle
from logbench_parsers.none import Verbatim
from logbench_windowers.count import Count

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


def grouped_of(sequences: list[list[int]]) -> GroupedLines:
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
    assert spy.asked == grouped.messages.to_list(), "every message is matched, once, those of the training too"
    assert vocabulary.facts == {"parser_fit_differs": 0, "parser_fit_unmatched": 0}
    templates = list(dict.fromkeys(int(m) // 2 for m in seen))
    assert vocabulary.size == len(templates) == sessions.vocabulary
    every = dict.fromkeys(k for s in sequences for k in s)
    unknown = sorted((k for k in every if k // 2 not in templates), key=str)
    key = {k: templates.index(k // 2) for k in every if k not in unknown}
    key |= {k: len(templates) + i for i, k in enumerate(unknown)}
    assert sessions.keys.tolist() == [key[k] for s in sequences for k in s]
    assert sessions.unseen.tolist() == [sum(k in unknown for k in s) for s in sequences]

    state = json.loads(json.dumps(vocabulary.state()))
    again = Vocabulary.restore(Even(), state, vocabulary.templates)
    assert again.lookup(grouped.messages).tolist() == vocabulary.lookup(grouped.messages).tolist()


def test_training_order_is_that_of_the_lines_not_of_the_units() -> None:
    """Unit b begins later but holds the earlier of the two messages."""
    grouped = GroupedLines(
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
        assert vocabulary.lookup(pl.Series(["4", "1", "3", "2"])).tolist() == [3, 0, 2, 1], "unseen: by text"
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

    with pytest.raises(PluginError, match="-1 … 0"):
        learn(grouped_of([[0], [4]]), np.array([0]), Learns())


class Disagrees(Even):
    """`match` knows a training message by another key than `fit` gave it, or not at all."""

    def __init__(self, by_match: Mapping[str, int]) -> None:
        super().__init__()
        self.by_match = by_match

    def match(self, messages: pl.Series) -> Any:
        keys = super().match(messages)
        return np.array([self.by_match.get(m, k) for m, k in zip(messages, keys, strict=True)], dtype=np.int32)


def test_every_line_has_its_key_by_match_and_where_fit_differed_is_counted() -> None:
    grouped, train = grouped_of([[0, 2, 4], [2, 4, 6]]), np.array([0])
    vocabulary = learn(grouped, train, Disagrees({"2": 0, "4": -1}))
    assert vocabulary.facts == {"parser_fit_differs": 2, "parser_fit_unmatched": 1}
    sessions = sessions_of(grouped, vocabulary, np.ones(2))
    assert sessions.keys.tolist() == [0, 0, 3, 0, 3, 4], "a message has one key in training and in the test"
    assert sessions.unseen.tolist() == [1, 2], "what match does not find is unseen, though it trained"
    state = json.loads(json.dumps(vocabulary.state()))
    again = Vocabulary.restore(Disagrees({"2": 0, "4": -1}), state, vocabulary.templates)
    assert again.lookup(pl.Series(["0", "2", "4"])).tolist() == [0, 0, 3], "a saved model goes the same way"


def test_a_parser_that_forgets_what_it_knew_scores_nothing() -> None:
    """As where keys come of the order of a set, which another process has otherwise."""

    class Forgets(Even):
        def restore(self, state: Any) -> None:
            super().restore({"templates": state["templates"][::-1]})

    state = learn(grouped_of([[0, 2, 4]]), np.array([0]), Even()).state()
    with pytest.raises(PluginError, match="2 of 3 messages have other keys than when the model was saved"):
        Vocabulary.restore(Forgets(), state, ("0", "1", "2"))


def test_a_parser_that_knows_none_of_its_messages_is_told() -> None:
    with pytest.raises(PluginError, match="match finds none of the 2 messages that fit was given"):
        learn(grouped_of([[0, 2], [4]]), np.array([0]), Disagrees({"0": -1, "2": -1}))


@given(UNITS, st.permutations(range(5)))
def test_the_numbers_of_fit_change_nothing(sequences: list[list[int]], order: list[int]) -> None:
    """A parser whose `fit` numbers templates in another order than its `match`: F1 was .830 instead of .873."""

    class Permuted(Even):
        def fit(self, messages: pl.Series) -> Any:
            keys = super().fit(messages)
            shuffled = [number for number in order if number < len(self.templates)]
            return np.array([shuffled[key] for key in keys], dtype=np.int32)

    if not any(sequences):
        return
    found = []
    for parser in (Even(), Permuted()):
        grouped = grouped_of(sequences)
        vocabulary = learn(grouped, np.arange(len(sequences)), parser)
        found.append(sessions_of(grouped, vocabulary, np.ones(len(sequences))).keys.tolist())
    assert found[0] == found[1]


def test_ids_of_unseen_messages_do_not_tell_the_order_of_the_files() -> None:
    """Files of key sequences hold one class after the other."""
    forward = grouped_of([[1], [30], [4], [7], [200]])
    backward = grouped_of([[1], [200], [7], [4], [30]])
    keys = []
    for grouped in (forward, backward):
        vocabulary = learn(grouped, np.array([0]), Verbatim())
        known = sessions_of(grouped, vocabulary, np.ones(5)).keys
        keys.append(dict(zip(grouped.messages.gather(grouped.codes), known.tolist(), strict=True)))
    assert keys[0] == keys[1]


def test_drain_on_hadoop_keys_all_lines_by_match(shared_data: Path) -> None:
    """Its own `fit` and `match` disagree on two messages of Loghub's sample."""
    registry = Registry()
    opened = registry.get("dataset", "hadoop").item.build().read(shared_data / "loghub_2k/Hadoop/Hadoop_2k.log")
    parser = configured(registry.get("parser", "drain")).build()
    grouped = group_lines(read_lines(opened, Count(50, 50, "none"), parser, silent, False), parser)
    vocabulary = learn(grouped, np.arange(len(grouped)), parser)
    assert vocabulary.differs > 0
    keys = sessions_of(grouped, vocabulary, np.ones(len(grouped))).keys
    by_match = configured(registry.get("parser", "drain")).build()
    by_match.restore(json.loads(json.dumps(parser.state())))
    known = by_match.match(grouped.messages)
    assert (known >= 0).all() and keys.tolist() == known[grouped.codes].tolist()


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


class Backwards(Verbatim):
    """`fit` numbers its templates from the last to the first, `match` from the first to the last."""

    def fit(self, messages: pl.Series) -> Any:
        return super().fit(messages)[::-1].copy()


def test_a_run_and_a_saved_model_go_by_match_alone(tmp_path: Path) -> None:
    rows = [(f"step {n % 7}", int(n > 500 and n % 90 > 80), n, f"n{n // 10}") for n in range(900)]
    path = write(tmp_path / "a.log", rows)
    known = registry(parsers=[ParserComponent("backwards", Backwards)])
    protocol = {"train": "ratio", "content": "mixed", "held_out": 0.1}
    found = {}
    for parser in ("none", "backwards"):
        saved = tmp_path / f"saved-{parser}"
        record = run_one(path, known, "2-gram", {"protocol": protocol}, parser=parser, windower="node", save=saved)
        assert record.error is None
        bundle = Bundle(saved, known)
        scored = score_bundle(bundle, path, "cpu", silent).sort("unit").select("unit", "score", "key", "template")
        found[parser] = record, scored
    (straight, first), (backwards, second) = found.values()
    assert straight.dataset["parser_fit_differs"] == 0 and backwards.dataset["parser_fit_differs"] == 6
    assert any("6 of 7 training messages get another key from match" in note for note in backwards.notes)
    assert not any("by match" in note for note in straight.notes)
    assert straight.metrics == backwards.metrics and first.rows() == second.rows()
