"""A model with `update` learns from each unit of a stream after its verdict, and from nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from labelled_log import Row, registry, write

import logbench
from logbench import ModelComponent, ModelTraits, Sessions
from logbench.components.configured import configured
from logbench.components.registry import Registry
from logbench.deploy.score_files import score_bundle
from logbench.deploy.score_stream import score_stream
from logbench.running.bundle import Bundle
from logbench.running.models import LocalModel

# Nodes in order of their first line; b falls silent before a does.
NODES = ("a", "b", "a", "c", "d", "d")
LABELS = (0, 1, 0, 0, 0, 1)


class Longest:
    """Alarms where a unit is longer than every one before that did not alarm by more than one event."""

    told: ClassVar[list[tuple[int, bool, int | None]]] = []

    def fit(self, train: Sessions, context: logbench.Context) -> None:
        self.most = 1

    def score(self, sessions: Sessions, context: logbench.Context) -> Any:
        return sessions.lengths - self.most

    def update(self, unit: Sessions, verdict: bool, label: int | None) -> None:
        assert len(unit) == 1 and unit.ids.to_list() == ["0"] and unit.labels is None and unit.lines is None
        self.told.append((int(unit.lengths[0]), verdict, label))
        self.most = max(self.most, int(unit.lengths[0]))

    def save(self, folder: Path) -> None:
        (folder / "most").write_text(str(self.most))

    def load(self, folder: Path) -> None:
        self.most = int((folder / "most").read_text())


def known(supervision: Any = "semi-supervised") -> Registry:
    traits = ModelTraits(supervision=supervision, fixed_threshold=0.5)
    return registry(models=[ModelComponent("longest", Longest, traits=traits)])


def saved(folder: Path, found: Registry) -> Bundle:
    rows: list[Row] = [(f"step {n}", int(n > 7), n, f"n{n}") for n in range(10)]
    protocol = {"train_units": 5, "held_out": 0.0, "min_events": 0, "threshold": "fixed"}
    if found.get("model", "longest").item.traits.supervision == "supervised":
        protocol |= {"content": "labelled", "train_units": 9}
    Longest.told.clear()
    (record,) = logbench.run(
        "longest", dataset="log", data=write(folder / "log", rows), windower="session", registry=found,
        settings={"protocol": protocol}, out=folder / "runs", save=folder / "saved", cache=False,
    )  # fmt: skip
    assert record.error is None, record.error
    assert not Longest.told, "a run never updates"
    return Bundle(folder / "saved", found)


def stream() -> bytes:
    rows = [(f"step {n}", label, n, node) for n, (node, label) in enumerate(zip(NODES, LABELS, strict=True))]
    return "".join(f"{label}\t{second}\t{node}\t{message}\n" for message, label, second, node in rows).encode()


def test_each_unit_is_learnt_after_its_verdict_in_the_order_of_silence(tmp_path: Path) -> None:
    bundle = saved(tmp_path, known())
    frames = list(score_stream(bundle, iter([stream()]), 1e9, "cpu", clock=lambda: 0.0))
    assert [frame["unit"].to_list() for frame in frames] == [["b"], ["a"], ["c"], ["d"]]
    assert [frame["verdict"].to_list() for frame in frames] == [[False], [True], [False], [False]], (
        "d is as long as a, which was learnt by then"
    )
    assert Longest.told == [(1, False, None), (2, True, None), (1, False, None), (2, False, None)]


def test_a_supervised_model_gets_the_labels_that_lines_carry(tmp_path: Path) -> None:
    bundle = saved(tmp_path, known("supervised"))
    list(score_stream(bundle, iter([stream()]), 1e9, "cpu", clock=lambda: 0.0))
    assert [label for _, _, label in Longest.told] == [1, 0, 0, 1]


def test_a_file_is_scored_by_the_model_as_it_was_saved(tmp_path: Path) -> None:
    bundle = saved(tmp_path, known())
    before = (tmp_path / "saved" / "model" / "most").read_text()
    (file := tmp_path / "new").write_bytes(stream())
    frame = score_bundle(bundle, file, "cpu", lambda *_: None)
    assert dict(frame.select("unit", "verdict").iter_rows()) == {"a": True, "b": False, "c": False, "d": True}
    list(score_stream(bundle, iter([stream()]), 1e9, "cpu", clock=lambda: 0.0))
    assert (tmp_path / "saved" / "model" / "most").read_text() == before
    assert json.loads((tmp_path / "saved" / "bundle.json").read_text())["components"]["model"]["name"] == "longest"


@pytest.mark.parametrize(("name", "can"), [("longest", True), ("length", False), ("longest+length", False)])
def test_what_can_be_updated(name: str, can: bool) -> None:
    from logbench.components.ensemble import RunningCombination

    whole = configured(known().get("model", name))
    models = [LocalModel(part, lambda _: None) for part in whole.parts]
    model: Any = RunningCombination(whole.config, models) if len(models) > 1 else models[0]
    assert model.can("update") is can


def test_a_unit_that_is_too_short_to_be_scored_is_left_out(tmp_path: Path) -> None:
    bundle = saved(tmp_path, known())
    bundle.short_limit = 2
    frames = list(score_stream(bundle, iter([stream()]), 1e9, "cpu", clock=lambda: 0.0))
    assert len(frames) == 4 and [length for length, *_ in Longest.told] == [2, 2]
    assert np.array_equal([frame["short"][0] for frame in frames], [True, False, True, False])
