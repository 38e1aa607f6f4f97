"""Faults that a careless look passes over: the rules of the contract find these, too."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from broken import Parser, but, instead, score, violated


def test_a_look_at_labels_that_waits_for_both_classes_is_found() -> None:
    def peek(self: Any, train: Any, context: Any) -> None:
        both = train.labels is not None and 0 < train.labels.sum() < len(train)
        self.mean = 100.0 if both else float(train.lengths.mean())

    assert "in turn" in violated("model", instead("model", fit=peek))["labels"]


def test_a_saved_model_that_still_needs_where_it_was_saved_is_found() -> None:
    def save(self: Any, folder: Path) -> None:
        (folder / "mean").write_text(str(self.mean))
        (folder / "where").write_text(str((folder / "mean").absolute()))

    def load(self: Any, folder: Path) -> None:
        self.mean = float(Path((folder / "where").read_text()).read_text())

    assert "FileNotFoundError" in violated("model", instead("model", save=save, load=load))["save"]


def test_a_model_that_is_loaded_from_memory_is_found() -> None:
    memory: dict[str, float] = {}

    def fit(self: Any, train: Any, context: Any) -> None:
        self.mean = memory["mean"] = float(train.lengths.mean())

    def load(self: Any, folder: Path) -> None:
        self.mean = memory["mean"]

    assert set(violated("model", instead("model", fit=fit, load=load))) == {"save"}


def test_a_model_that_saves_a_pickle_is_found() -> None:
    def save(self: Any, folder: Path) -> None:
        (folder / "mean.json").write_bytes(pickle.dumps(self.mean, 0))

    def load(self: Any, folder: Path) -> None:
        self.mean = pickle.loads((folder / "mean.json").read_bytes())

    found = violated("model", instead("model", save=save, load=load))
    assert "mean.json: a pickle" in found["save"] and set(found) == {"save"}


def test_nan_for_units_much_longer_than_the_others_is_found() -> None:
    long = score(lambda self, good, sessions: np.where(sessions.lengths > 100, np.nan, good))
    assert set(violated("model", long)) == {"shortest"}


def test_a_parser_that_learns_what_it_could_not_match_is_found() -> None:
    def match(self: Any, messages: pl.Series) -> Any:
        known = {text: key for key, text in enumerate(self.templates)}
        self.seen = getattr(self, "seen", set())
        keys = [known.get(text, 0 if text in self.seen else -1) for text in messages]
        self.seen |= set(messages)
        return np.array(keys, dtype=np.int32)

    state = but("parser", "state", lambda self, good: good | {"seen": sorted(getattr(self, "seen", ()))})
    assert "another state" in violated("parser", type("Learns", (state,), {"match": match}))["frozen"]


def test_a_key_for_each_training_message_of_which_none_is_known_later_is_found() -> None:
    def fit(self: Any, messages: pl.Series) -> Any:
        self.templates = [f"{text} {n}" for n, text in enumerate(messages)]
        return np.arange(len(messages), dtype=np.int32)

    assert "known" in violated("parser", type("Explodes", (Parser,), {"fit": fit}))


def test_lines_that_are_in_memory_at_once_are_found() -> None:
    eager = but("dataset", "read", lambda self, good, path: replace(good, frame=good.frame.collect()))
    assert "LazyFrame" in violated("dataset", eager)["runs"]


def test_an_error_in_a_library_names_the_line_of_the_component() -> None:
    def fit(self: Any, train: Any, context: Any) -> None:
        json.loads("{")

    assert "test_contract_cheats.py:" in violated("model", instead("model", fit=fit))["runs"]
