"""Held-out labels: a supervised model gets those of its hold-out, no other model any, and none of a test unit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from labelled_log import Row, registry, run_one, write

from logbench import Context, ModelComponent, ModelTraits, RunRecord, Sessions, prepare_sessions

KINDS = ("unsupervised", "semi-supervised", "supervised")
LINES, TESTED = 600, 300
PROTOCOL = {"train": "ratio", "train_ratio": 0.5, "content": "labelled", "held_out": 0.2}


class Spy:
    """Keeps the units that it is given, each with what it has in every column but the id, which is its place."""

    given: ClassVar[list[Any]] = []
    held: ClassVar[list[Sessions]] = []

    def fit(self, train: Sessions, context: Context) -> None:
        assert context.held_out is not None
        self.held.append(context.held_out)
        self.see(train, context.held_out)
        self.alone = False

    def score(self, sessions: Sessions, context: Context) -> Any:
        assert sessions.labels is None and sessions.line_labels is None
        assert context.held_out is not None
        if not self.alone:  # a few units are scored again, drawn from the same hash
            self.see(sessions, context.held_out)
        self.alone = True
        return sessions.keys[sessions.offsets[:-1]].astype(float)

    def see(self, *given: Sessions) -> None:
        """Units sorted: their order is drawn from a hash of the split, labels included."""
        for units in given:
            each = [units.take(np.array([place])) for place in range(len(units))]
            columns = [name for name in Sessions.columns if name != "ids"]
            self.given.append(sorted(repr([_plain(getattr(unit, name)) for name in columns]) for unit in each))
            self.given.append((units.vocabulary, units.templates))


def _plain(column: Any) -> Any:
    return column if column is None else list(column)


def run_with(
    folder: Path, kind: Any, label: Callable[[int], Any], needs: frozenset[Any] = frozenset()
) -> RunRecord:
    folder.mkdir()
    Spy.given.clear()
    Spy.held.clear()
    rows: list[Row] = [(f"message {line % 7}", int(label(line)), line, "n") for line in range(LINES)]
    models = [ModelComponent("spy", Spy, traits=ModelTraits(supervision=kind, needs=needs))]
    settings = {"protocol": PROTOCOL, "count": {"size": 1}}
    record = run_one(write(folder / "a.log", rows), registry(models=models), "spy", settings)
    assert record.status == "ok", record.error
    return record


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_model_sees_does_not_depend_on_any_label_of_the_test(tmp_path: Path, kind: str) -> None:
    """All labels of tested lines are turned; nothing that the model is given changes."""
    seen = []
    for name, turned in (("as they are", 0), ("turned", 1)):
        run_with(tmp_path / name, kind, lambda line, turned=turned: (line % 3 == 0) ^ (turned and line >= TESTED))
        seen.append(list(Spy.given))
    assert seen[0] == seen[1] and len(seen[0]) >= 8


def test_what_a_supervised_model_sees_depends_on_labels_held_out(tmp_path: Path) -> None:
    """The test above can fail: turning held-out labels, the last of the training half, is seen."""
    seen = []
    for turned in (-1, TESTED - 1):
        run_with(
            tmp_path / str(turned), "supervised", lambda line, turned=turned: (line % 3 == 0) ^ (line == turned)
        )
        seen.append(list(Spy.given))
    assert seen[0] != seen[1]


@pytest.mark.parametrize(
    ("kind", "told"), [*((kind, "none") for kind in KINDS[:2]), ("supervised", "training and held-out units")]
)
def test_only_a_supervised_model_gets_the_labels_held_out(tmp_path: Path, kind: str, told: str) -> None:
    record = run_with(tmp_path / "log", kind, lambda line: line % 3 == 0)
    (held,) = Spy.held
    assert record.audit["labels"] == told
    assert held.line_labels is None, "which the model does not need"
    if kind != "supervised":
        assert held.labels is None
        return
    assert held.labels is not None and len(held) == 60
    texts = np.array(held.templates)[held.keys]  # lines 240 to 299, of seven messages and every third anomalous
    found = sorted(zip(texts.tolist(), held.labels.tolist(), strict=True))
    assert found == sorted((f"message {line % 7}", int(line % 3 == 0)) for line in range(240, 300))


@pytest.mark.parametrize("kind", KINDS)
def test_prepare_sessions_hands_out_the_labels_that_a_run_does(tmp_path: Path, kind: Any) -> None:
    rows: list[Row] = [(f"message {line % 7}", int(line % 3 == 0), line, "n") for line in range(LINES)]
    models = [ModelComponent("spy", Spy, traits=ModelTraits(supervision=kind))]
    found = prepare_sessions(
        "spy",
        "log",
        registry=registry(models=models),
        data=write(tmp_path / "a.log", rows),
        windower="count",
        settings={"protocol": PROTOCOL, "count": {"size": 1}},
        cache=False,
    )
    held, supervised = found.context.held_out, kind == "supervised"
    assert held is not None and (held.labels is not None) == (found.train.labels is not None) == supervised
    if held.labels is not None:
        texts = np.array(held.templates)[held.keys]
        share = {text: float(held.labels[texts == text].mean()) for text in set(texts.tolist())}
        lines = np.arange(240, 300)
        assert share == {f"message {at}": float((lines[lines % 7 == at] % 3 == 0).mean()) for at in range(7)}


def test_labels_of_held_out_events_reach_a_model_that_learns_from_them(tmp_path: Path) -> None:
    run_with(tmp_path / "log", "supervised", lambda line: line % 3 == 0, frozenset({"line_labels"}))
    (held,) = Spy.held
    assert held.labels is not None and held.line_labels is not None
    assert held.line_labels.tolist() == held.labels.tolist()
