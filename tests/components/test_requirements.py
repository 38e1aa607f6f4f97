"""What a component requires and lacks: an error of one line if it was asked for, a skipped row among others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from distributions import announce, distribution
from labelled_log import registry

import logbench
from logbench import ConfigError, IncompatibleError, ModelComponent
from logbench.components.configured import configured
from logbench.components.entry import Plugin, RegisteredComponent
from logbench.components.requirements import lack, missing
from logbench.testing import check

EXTRAS = """Provides-Extra: all
Requires-Dist: far-lib>=2; extra == "all"
Requires-Dist: other; extra == "all"
Provides-Extra: far
Requires-Dist: Far-Lib>=2; extra == "far"
Requires-Dist: numpy
"""
PLUGIN = """
import logbench

class Far:
    def fit(self, train, context): ...
    def score(self, sessions, context):
        import far_lib
        return sessions.lengths.astype(float)
    def save(self, folder): (folder / "far.txt").write_text("")
    def load(self, folder): ...

@logbench.hookimpl
def logbench_models():
    yield logbench.ModelComponent("far", Far, requires=("far-lib>=2",))
"""
SUITE = """
benchmark_version = 1
seeds = [0]
models = ["far", "length"]
[gates]
f1 = 0.1
[datasets.hdfs-sim]
blocks = 600
[protocols.random]
train_units = 200
"""
SMALL = ("--dataset", "hdfs-sim", "--set", "dataset.blocks=600", "--set", "protocol.train_units=200")
LINE = "model far needs far-lib>=2, which is not installed: pip install 'dist-far_plugin[far]'"


class Lengths:
    """A model that needs nothing."""

    def fit(self, train: Any, context: Any) -> None: ...

    def score(self, sessions: Any, context: Any) -> Any:
        return sessions.lengths.astype(float)


def model(name: str, *requires: str) -> ModelComponent[Lengths]:
    return ModelComponent(name, Lengths, requires=requires)


def test_what_is_missing_is_what_is_not_installed_or_in_another_release() -> None:
    asked = ("numpy", "numpy>=1", "numpy<1", "no-such-thing", "no-such-thing; python_version < '3'")
    assert missing(asked) == ("numpy<1", "no-such-thing")


@pytest.mark.parametrize(
    ("requires", "said"),
    [
        ("torch", "expected a tuple of texts"),
        (("torch", 2), "expected a tuple of texts"),
        (("torch 2",), "torch 2"),
    ],
)
def test_a_component_with_wrong_requirements_is_set_aside(requires: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        registry(models=[ModelComponent("far", Lengths, requires=requires)])


def test_the_line_says_which_release_there_is_and_how_to_get_another() -> None:
    found = registry(models=[model("far", "numpy<1", "no-such-thing")])
    import numpy as np

    assert lack(found.get("model", "far")) == (
        f"model far needs numpy<1, but {np.__version__} is installed, and no-such-thing, which is not installed: "
        "pip install 'numpy<1' no-such-thing"
    )
    assert not lack(found.get("model", "length"))


def test_the_line_says_once_that_several_are_not_installed() -> None:
    found = registry(models=[model("two", "no-a", "no-b>=2"), model("three", "no-a", "numpy<1", "no-b", "no-c")])
    assert lack(found.get("model", "two")).startswith(
        "model two needs no-a and no-b>=2, which are not installed: "
    )
    said = lack(found.get("model", "three"))
    assert said.startswith("model three needs numpy<1, but ")
    assert " is installed, and no-a, no-b and no-c, which are not installed: pip install no-a " in said


def test_the_line_names_the_smallest_extra_that_brings_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    site.mkdir()
    announce(site, "mine", "1", {}, EXTRAS)
    monkeypatch.syspath_prepend(str(site))
    plugin = Plugin("mine", "mine", "1", lambda: None)
    models = [model("far", "far-lib>=2"), model("both", "far-lib", "other"), model("no", "numpy<1")]
    said = {one.name: lack(RegisteredComponent(one, plugin)).partition("pip install ")[2] for one in models}
    assert said == {"far": "'mine[far]'", "both": "'mine[all]'", "no": "'numpy<1'"}


def test_asked_for_by_name_it_is_an_error_before_any_data_are_read(tmp_path: Path) -> None:
    found = registry(models=[model("far", "no-such-thing")])
    for name in ("far", "length+far"):
        with pytest.raises(ConfigError, match=r"^model far needs no-such-thing, which is not installed: pip"):
            logbench.run(name, dataset="log", data=tmp_path / "none", out=tmp_path / "runs", registry=found)
    assert not (tmp_path / "runs").exists()
    with pytest.raises(IncompatibleError, match="model far needs"):
        configured(found.get("model", "far")).build()


def test_its_contract_is_one_skipped_rule() -> None:
    (outcome,) = check("model", "far", registry=registry(models=[model("far", "no-such-thing")]))
    assert (outcome.rule, outcome.status) == ("requires", "skipped")
    assert outcome.why.startswith("model far needs no-such-thing")


Logbench = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def logbench_with(tmp_path: Path) -> Logbench:
    """The command beside a plugin whose model requires far-lib 2, which `there` says is installed."""
    distribution(tmp_path / "site", "far_plugin", PLUGIN)
    announce(tmp_path / "site", "dist-far_plugin", "0.1", {"far_plugin": "far_plugin"}, EXTRAS)
    library = tmp_path / "library"
    library.mkdir()
    (library / "far_lib.py").write_text("")
    announce(library, "far-lib", "2.1", {})

    def logbench(*words: str, there: bool = False) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(tmp_path / "site"), *([str(library)] if there else [])])
        return subprocess.run(
            [sys.executable, "-m", "logbench", *words],
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return logbench


@pytest.mark.parametrize(
    "words",
    [
        ["run", "far", *SMALL],
        ["run", "length+far", *SMALL],
        ["run", "length", "far", *SMALL],
        ["protocols", "far", *SMALL],
        ["check", "far"],
    ],
    ids=" ".join,
)
def test_a_command_that_names_it_says_one_line(logbench_with: Logbench, tmp_path: Path, words: list[str]) -> None:
    done = logbench_with(*words)
    assert (done.returncode, done.stderr, done.stdout) == (2, f"error: {LINE}\n", "")
    assert not (tmp_path / "runs").exists()


def test_among_others_it_is_a_skipped_row_with_the_reason(logbench_with: Logbench, tmp_path: Path) -> None:
    done = logbench_with("leaderboard", "--models", "length,far", "--no-baselines", *SMALL, "--format", "json")
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert rows["length"]["status"] == "ok"
    assert (rows["far"]["status"], rows["far"]["reason"]) == ("skipped", LINE)
    assert "Traceback" not in done.stderr

    swept = logbench_with("sweep", "far", "--over", "protocol.train_units=100,200", *SMALL[:4], "--json")
    assert {row["skipped"] for row in map(json.loads, swept.stdout.splitlines())} == {LINE}, swept
    assert "Traceback" not in swept.stderr

    (tmp_path / "bench.toml").write_text(SUITE)
    benched = logbench_with("bench", "run", "bench.toml", "--json")
    found = {row["model"]: row["status"] for row in map(json.loads, benched.stdout.splitlines())}
    assert found == {"far": "skipped", "length": "ok"}, benched


def test_list_marks_it_and_only_where_something_is_missing(logbench_with: Logbench) -> None:
    lines = logbench_with("list", "model").stdout.splitlines()
    assert lines[0].split() == ["kind", "name", "needs", "summary", "from"]
    assert [line.split()[:3] for line in lines if line.split()[1:2] == ["far"]] == [["model", "far", "far-lib>=2"]]


def test_a_saved_model_that_lacks_it_says_one_line(logbench_with: Logbench, tmp_path: Path) -> None:
    saved = logbench_with("run", "far", *SMALL, "--save", "kept", there=True)
    assert saved.returncode == 0, saved.stderr
    (log,) = Path(os.environ["LOGBENCH_CACHE"]).rglob("HDFS.log")
    assert logbench_with("score", "kept", "--data", str(log), there=True).returncode == 0
    done = logbench_with("score", "kept", "--data", str(log))
    assert (done.returncode, done.stderr, done.stdout) == (2, f"error: {LINE}\n", "")
    shown = logbench_with("show", "last", "--top", "1")
    assert shown.returncode == 0, "what was scored is read from the record"
