"""While a model trains in a process of its own, the units that it will score are made ready."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from logbench import run
from logbench.api.record import RunRecord
from logbench.base.errors import LeakError
from logbench.running.models import LocalModel
from logbench.running.procedures import batch

WAIT = 20.0
# Of a run, what no place where it runs may change.
SAME = ("metrics", "split", "training", "decision", "labels", "trivial", "bound")


def ran(model: str, out: Path) -> RunRecord:
    settings = {"protocol": {"train_units": 100}}
    (record,) = run(model, dataset="hdfs-sim", settings={"dataset": {"blocks": 300}, **settings}, out=out)
    return record


@pytest.mark.parametrize("model", ["markov", "markov+length", "pca"])
def test_units_are_made_ready_while_a_model_trains(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, ready = ran(model, tmp_path), threading.Event()
    asked, fit = batch._asked, LocalModel.fit

    def told(*given: Any) -> Any:
        found = asked(*given)
        ready.set()
        return found

    def late(self: LocalModel, *given: Any) -> Any:
        assert ready.wait(WAIT), "nothing is made ready meanwhile"
        return fit(self, *given)

    monkeypatch.setattr(LocalModel, "apart", True)
    monkeypatch.setattr(LocalModel, "fit", late)
    monkeypatch.setattr(batch, "_asked", told)
    record = ran(model, tmp_path)
    assert record.status == "ok", record.error
    for name in SAME:
        assert getattr(record, name, None) == getattr(expected, name, None), name
    assert record.scores.equals(expected.scores)


@pytest.mark.parametrize("apart", [True, False])
def test_what_fails_beside_training_ends_the_run(
    apart: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leak(*given: Any) -> Any:
        raise LeakError("more labels than allowed")

    monkeypatch.setattr(LocalModel, "apart", apart)
    monkeypatch.setattr(batch, "asked_units", leak)
    record = ran("markov", tmp_path)
    assert record.error is not None and "more labels than allowed" in record.error["message"]
    assert record.error["stage"] == "score" and "fit" in record.stages
