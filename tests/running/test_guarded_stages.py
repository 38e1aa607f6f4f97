"""No plugin of a run changes the process for the next one, and a wrong answer is one line."""

from __future__ import annotations

import importlib
import os
import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import logbench
from logbench import Card, DatasetComponent, EvaluatorComponent, ModelComponent, Scores, testing
from logbench.base.state_guard import guarded
from logbench.components.configured import configured
from logbench.components.registry import Registry


def upset() -> None:
    """Change what is global to the process."""
    os.environ["LOGBENCH_UPSET"] = "1"
    os.chdir("/")
    np.seterr(all="raise")


class Reader:
    def read(self, path: Path) -> Any:
        upset()
        return configured(Registry().get("dataset", "deeplog-archive"), {}).build().read(path)


class Judge:
    def evaluate(self, units: Any) -> dict[str, float]:
        upset()
        return {"units": float(units.height)}


@dataclass
class Model:
    fitted: Any = None
    facts: Any = None

    def fit(self, train: Any, context: Any) -> Any:
        return self.fitted

    def score(self, sessions: Any, context: Any) -> Scores:
        return Scores(sessions.lengths.astype(float), **({} if self.facts is None else self.facts))


def registry(**models: Model) -> Registry:
    card = Card(title="x", label="x", parser="none", windower="session", protocol="hdfs", layout="x")
    return testing.registry(
        datasets=[DatasetComponent("odd", Reader, card=card)],
        evaluators=[EvaluatorComponent("judge", Judge)],
        models=[ModelComponent(name, lambda made=made: made) for name, made in models.items()],
    )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "hdfs_train").write_text(("1 2 3" + " 4" * 10 + "\n" + "1 2 2 3" + " 4" * 10 + "\n") * 40)
    (folder / "hdfs_test_normal").write_text(("1 2 3" + " 4" * 10 + "\n") * 20)
    (folder / "hdfs_test_abnormal").write_text("1 2 3 5" + " 4" * 20 + "\n")
    return folder


def test_what_a_data_set_or_an_evaluator_changes_is_put_back_and_noted(data: Path, tmp_path: Path) -> None:
    before = (Path.cwd(), np.geterr())
    outer: list[str] = []
    with guarded(outer.append):
        for dataset, evaluators in (("odd", ()), ("deeplog-archive", ("judge",))):
            (record,) = logbench.run(
                "length", dataset=dataset, data=data, evaluators=evaluators, out=tmp_path / "runs",
                registry=registry(),
            )  # fmt: skip
            assert record.status == "ok", record.error
            (note,) = [text for text in record.notes if "put back" in text]
            for name in ("the working directory", "environment variables", "numpy's error state"):
                assert name in note
            assert (Path.cwd(), np.geterr()) == before and "LOGBENCH_UPSET" not in os.environ
        (record,) = logbench.run("length", dataset="deeplog-archive", data=data, out=tmp_path / "runs")
        assert not [text for text in record.notes if "put back" in text], "what changes nothing is not noted"
    assert not outer


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (Model(fitted=3), "model 'm': fit must return a mapping of facts or None, got int"),
        (Model(fitted=0), "model 'm': fit must return a mapping of facts or None, got int"),
        (Model(fitted=[1.0]), "model 'm': fit must return a mapping of facts or None, got list"),
        (Model(facts={"facts": [1]}), "model 'm': 'facts' of its scores must be a mapping, got list"),
        (Model(facts={"others": [1]}), "model 'm': 'others' of its scores must be a mapping, got list"),
    ],
)
def test_facts_that_are_no_mapping_are_one_line(data: Path, tmp_path: Path, model: Model, said: str) -> None:
    (record,) = logbench.run(
        "m", dataset="deeplog-archive", data=data, out=tmp_path / "runs", registry=registry(m=model)
    )
    assert record.error == {"stage": "score" if model.facts else "fit", "type": "PluginError", "message": said}


def test_a_script_without_a_main_guard_runs_and_leaves_nothing(data: Path, tmp_path: Path) -> None:

    (tmp_path / "script.py").write_text(
        "import logbench\n"
        "(record,) = logbench.run('length', dataset='deeplog-archive', data='data')\n"
        "print(record.status, record.isolation)\n"
    )
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout == "ok in-process\n", done.stderr


def test_random_numbers_that_a_library_draws_while_it_is_loaded_are_no_conduct(tmp_path: Path) -> None:
    (tmp_path / "draws_when_loaded.py").write_text("import random\nrandom.random()\n")
    notes: list[str] = []
    before = random.getstate()
    sys.path.insert(0, str(tmp_path))
    try:
        with guarded(notes.append):
            importlib.import_module("draws_when_loaded")
    finally:
        sys.path.remove(str(tmp_path))
    assert random.getstate() == before and not notes
    with guarded(notes.append):
        random.random()
    assert random.getstate() == before and notes == [
        "changed Python's global random state of its process; put back"
    ]
