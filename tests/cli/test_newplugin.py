"""`logbench new-plugin`: what it writes works at once, for each kind; names are checked; nothing is overwritten.

tests/tools/kit.py does the same with pip and tox in environments of their own.
"""

from __future__ import annotations

import configparser
import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from distributions import install

from logbench import ConfigError, ModelComponent, Preset, hookimpl
from logbench.cli.newplugin import LISTED, LONGEST, files, names
from logbench.components.entry import Plugin
from logbench.components.registry import Registry
from logbench.testing import Done
from logbench.testing.names import CHECKED


def _marked(kind: str) -> Any:
    """Each kind takes a dozen seconds, alike in most: a model's stands for them at each commit."""
    return pytest.param(kind, marks=[] if kind == "model" else [pytest.mark.slow])


@pytest.mark.parametrize("kind", [_marked(kind) for kind in CHECKED])
def test_each_kind_is_listed_and_passes_its_own_tests_and_the_rules(
    kind: str, tmp_path: Path, run_logbench: Callable[..., Done], logbench_cache: Path
) -> None:
    done = run_logbench("new-plugin", "Fresh.one", "--kind", kind, "--dir", "here")
    assert done.code == 0 and "pip install -e ." in done.out, done.err
    folder = tmp_path / "here" / "logbench-fresh-one"
    install(folder, tmp_path / "site")
    listed = run_logbench(
        *LISTED.get(kind, f"logbench list {kind}").split()[1:], PYTHONPATH=str(tmp_path / "site")
    )
    assert listed.code == 0 and "fresh-one" in listed.out
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "LOGBENCH_CACHE": str(logbench_cache)}
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "--logbench", "fresh-one", "-p", "no:cacheprovider", "-v"],
        cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert tests.returncode == 0, tests.stdout
    assert f"{kind}:fresh-one:imports PASSED" in tests.stdout
    assert ("model:fresh-one:card PASSED" in tests.stdout) == (kind == "model")


def test_what_is_written_is_what_ruff_writes(tmp_path: Path) -> None:
    if importlib.util.find_spec("ruff") is None:
        pytest.skip("ruff is not installed here: tox -e lint has it, this test runs where both are")
    for name in ("a", "3-x_y", "n" * LONGEST, "true"):
        for kind, deep in [*((kind, False) for kind in CHECKED), ("model", True)]:
            for path, text in files(kind, names(name, kind, Registry(plugins=[]), deep)):
                file = tmp_path / f"{kind}-{deep}" / name / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
    for words in (("check",), ("format", "--check")):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "--no-cache", "."],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("kind", CHECKED)
def test_nothing_is_left_to_fill_in_and_every_toml_file_is_one(kind: str) -> None:
    found = dict(files(kind, names("mine", kind, Registry(plugins=[]))))
    written = {"pyproject.toml", "tox.ini", "README.md", "CHANGELOG.md", "LICENSE", ".gitignore"}
    assert written | {".github/workflows/tests.yml"} <= {path.as_posix() for path in found}
    for path, text in found.items():
        assert "$" not in text.replace("${{ vars.", ""), path
        if path.suffix == ".toml":
            tomllib.loads(text)
    project = tomllib.loads(found[Path("pyproject.toml")])["project"]
    assert project["license"] == "MIT" and project["license-files"] == ["LICENSE"]
    benched = kind in ("dataset", "parser", "windower", "model", "evaluator")
    assert ("testenv:bench" in found[Path("tox.ini")]) == (Path("bench.toml") in found) == benched


def test_one_environment_tests_and_types_without_torch() -> None:
    for kind in CHECKED:
        found = dict(files(kind, names("mine", kind, Registry(plugins=[]))))
        tox = configparser.ConfigParser(interpolation=None)
        tox.read_string(found[Path("tox.ini")])
        assert tox["tox"]["env_list"] == "py"
        words = [line.split()[0] for line in tox["testenv"]["commands"].splitlines() if line]
        assert words == ["ruff", "ruff", "mypy", "pytest"]
        assert "LOGBENCH_REQUIREMENT" in tox["logbench"]["requirement"]
        for path in ("README.md", ".github/workflows/tests.yml"):
            assert "LOGBENCH_REQUIREMENT" in found[Path(path)]
        assert "torch" not in "".join(found.values())


def test_a_model_and_its_hook_are_at_most_fifteen_lines() -> None:
    text = dict(files("model", names("mine", "model", Registry(plugins=[]))))[Path("logbench_mine.py")]
    body = text[text.index("class ") :].splitlines()
    code = [line for line in body if line.strip() and not line.strip().startswith(("#", '"""'))]
    assert len(code) <= 15


@pytest.mark.parametrize(
    ("given", "distribution", "cls"),
    [
        ("mine", "logbench-mine", "MineModel"),
        ("logbench-mine", "logbench-mine", "MineModel"),
        ("My_Great.thing", "logbench-my-great-thing", "MyGreatThingModel"),
        ("a--b__c", "logbench-a-b-c", "ABCModel"),
        ("3gram", "logbench-3gram", "A3gramModel"),
        ("none", "logbench-none", "NoneModel"),
        ("my-model", "logbench-my-model", "MyModel"),
    ],
)
def test_names_are_normalised(given: str, distribution: str, cls: str) -> None:
    found = names(given, "model", Registry(plugins=[]))
    assert (found["distribution"], found["cls"]) == (distribution, cls)
    assert found["module"].isidentifier() and found["module"] == distribution.replace("-", "_")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "PEP 508"),
        ("two words", "PEP 508"),
        ("-x", "PEP 508"),
        ("x-", "PEP 508"),
        ("a/b", "PEP 508"),
        ("../up", "PEP 508"),
        ("größe", "PEP 508"),
        ("x\n", "PEP 508"),
        ("x" * (LONGEST + 1), "at most"),
        ("protocol", "has another meaning"),
        ("deeplog", "offered by taken (dist-taken 1)"),
        ("harness", "a distribution logbench-harness is installed"),
        ("classic", "a module logbench_classic can be imported"),
    ],
)
def test_a_name_that_cannot_be_is_one_line(given: str, said: str) -> None:
    def offer() -> Any:
        yield ModelComponent("deeplog", dict)

    module = type("module", (), {"logbench_models": hookimpl(offer)})
    with pytest.raises(ConfigError) as error:
        names(given, "model", Registry(plugins=[Plugin("taken", "dist-taken", "1", lambda: module)]))
    assert said in str(error.value)


@pytest.fixture
def deep_one(tmp_path: Path, run_logbench: Callable[..., Done]) -> Path:
    """The distribution of a deep model as it is written."""
    done = run_logbench("new-plugin", "deep-one", "--kind", "model", "--deep")
    assert done.code == 0, done.err
    return tmp_path / "logbench-deep-one"


def test_a_deep_model_asks_for_torch(deep_one: Path, run_logbench: Callable[..., Done]) -> None:
    assert run_logbench("new-plugin", "deep-two", "--kind", "reporter", "--deep").code == 2
    project = tomllib.loads((deep_one / "pyproject.toml").read_text())
    assert project["project"]["dependencies"][0].startswith("logbench-harness[deep]>=")
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"] == [
        "logbench_deep_one.py",
        "logbench_deep_one_network.py",
        "logbench_deep_one.toml",
    ]
    assert "whl/cpu" in (deep_one / "tox.ini").read_text()


@pytest.mark.slow
def test_a_deep_model_loads_torch_late_and_passes_its_own_tests_and_the_rules(
    deep_one: Path, tmp_path: Path, logbench_cache: Path
) -> None:
    pytest.importorskip("torch")
    install(deep_one, tmp_path / "site")
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--logbench", "deep-one", "--logbench-set", "deep-one.steps=5"],
        cwd=deep_one, capture_output=True, text=True, timeout=500, check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site"), "LOGBENCH_CACHE": str(logbench_cache)},
    )  # fmt: skip
    assert tests.returncode == 0 and "failed" not in tests.stdout, tests.stdout


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        ("command", "sweep", "'sweep' is a command of logbench itself"),
        ("command", "ladder", "the command 'ladder' is offered by deeplog"),
        ("preset", "deeplog-2017", "the preset 'deeplog-2017' is offered by presets"),
        ("table", "deeplog-2017", "the table 'deeplog-2017' is offered by "),
    ],
)
def test_a_name_is_free_among_its_kind(kind: Any, given: str, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        names(given, kind, Registry())


def test_a_data_set_brings_a_preset_so_that_name_must_be_free_too() -> None:
    presets = hookimpl(lambda: [Preset(name="p", summary="", source="")], specname="logbench_presets")
    registry = Registry(plugins=[Plugin("taken", "d", "1", lambda: type("m", (), {"logbench_presets": presets}))])
    with pytest.raises(ConfigError, match="the preset 'p' is offered by taken"):
        names("p", "dataset", registry)
    assert names("p", "model", registry)


def test_a_folder_that_is_there_is_never_touched(tmp_path: Path, run_logbench: Callable[..., Done]) -> None:
    target = tmp_path / "logbench-mine"
    target.mkdir()
    (target / "diary").write_text("mine")
    done = run_logbench("new-plugin", "mine", "--kind", "model")
    assert done.code == 2 and "already exists; nothing was overwritten" in done.err
    assert [path.name for path in target.iterdir()] == ["diary"]
    (tmp_path / "logbench-link").symlink_to(tmp_path / "gone")
    assert run_logbench("new-plugin", "link", "--kind", "model").code == 2
