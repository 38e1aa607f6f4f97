"""The pytest plugin: rules as tests, fixtures for authors, and no cost to projects that use neither."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from distributions import distribution

from logbench.testing import Done

BROKEN = """
import numpy, polars
import logbench

class Cheat:
    def fit(self, train, context):
        print("fitted")

    def score(self, sessions, context):
        return sessions.lengths * (1 if sessions.labels is None else sessions.labels)

@logbench.hookimpl
def logbench_models():
    yield logbench.ModelComponent("cheat", Cheat)
"""
AUTHOR = """
import numpy as np

def test_material(tiny_dataset):
    assert len(tiny_dataset.train) and tiny_dataset.test.labels is None

def test_hdfs_sim(hdfs_sim, registry):
    lines = registry.get("dataset", "hdfs-sim").item.build
    assert (hdfs_sim / "HDFS.log").stat().st_size > 100_000

def test_registry_is_fresh(registry):
    assert registry.components["model"].pop("cheat")

def test_registry_is_fresh_again(registry):
    assert "cheat" in registry.components["model"]

def test_command(run_logbench, tmp_path):
    done = run_logbench("list", "nosuch")
    assert done.code == 2 and not done.out and "nosuch" in done.err and done.folder == tmp_path
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with `cheat` installed beside it."""
    distribution(tmp_path / "site", "cheat", BROKEN, "2")
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(folder.parent / "site")}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False
    )


def test_rules_are_tests_that_say_what_was_expected_and_what_is_the_case(project: Path) -> None:
    done = run(project, "-m", "pytest", "--logbench", "cheat", "-p", "no:cacheprovider", "-rs")
    assert done.returncode == 1
    assert "rule labels: no labels are used" in done.stdout
    assert "  expected: the same scores where the test labels are all 1" not in done.stdout  # times 1 is alike
    assert "  expected: the same scores where the test labels are 0 and 1 in turn" in done.stdout
    assert "  actual:   24 of 48 primary scores differ, first unit s0:" in done.stdout
    assert "  expected: nothing on standard output (context.note tells the user)" in done.stdout
    assert "  actual:   the module imports numpy, polars when it loads; move each import into the" in done.stdout
    assert "Traceback" not in done.stdout and "3 failed" in done.stdout
    assert "it has no save(folder) and load(folder)" in done.stdout
    assert "advice: expected scores that change with the seed, or traits.stochastic=False" in done.stdout


def test_rules_can_be_chosen_by_name_and_options_set(project: Path) -> None:
    done = run(
        project,
        "-m",
        "pytest",
        "-q",
        "--logbench",
        "cheat",
        "--logbench",
        "table",
        "-k",
        "cheat and (runs or one)",
    )
    assert done.returncode == 0 and "2 passed" in done.stdout, done.stdout
    done = run(project, "-m", "pytest", "-q", "--logbench", "ecvc", "--logbench-set", "ecvc.max_train=x")
    assert done.returncode == 4 and "max_train" in done.stderr and "Traceback" not in done.stderr


def test_failures_can_be_expected_with_a_reason(project: Path) -> None:
    words = ("-m", "pytest", "--logbench", "cheat", "-p", "no:cacheprovider", "-k", "labels or quiet", "-rx")
    done = run(project, *words, "--logbench-expect", "quiet=it is small", "--logbench-expect", "labels=it cheats")
    assert done.returncode == 0 and "2 xfailed" in done.stdout and "it cheats" in done.stdout, done.stdout
    done = run(project, *words, "--logbench-expect", "quiet")
    assert done.returncode == 4 and "give the reason why" in done.stderr


def test_an_unknown_name_is_a_usage_error_that_names_what_was_set_aside(project: Path) -> None:
    (project.parent / "site" / "cheat.py").write_text("import gone\n")
    done = run(project, "-m", "pytest", "--logbench", "cheet")
    assert done.returncode == 4
    assert "--logbench: no component is called 'cheet'" in done.stderr and "cheat (dist-cheat 2)" in done.stderr


def test_authors_have_their_fixtures(project: Path) -> None:
    (project / "test_mine.py").write_text(AUTHOR)
    done = run(project, "-m", "pytest", "-q", "-W", "error")
    assert done.returncode == 0 and "5 passed" in done.stdout, done.stdout


def test_projects_that_use_none_of_it_load_none_of_it(project: Path) -> None:
    (project / "test_theirs.py").write_text(
        "import sys\nimport pytest\n\n@pytest.fixture\ndef registry():\n    return 'theirs'\n\n"
        "def test_theirs(registry):\n    assert registry == 'theirs'\n"
        "    heavy = {'numpy', 'polars', 'torch', 'pydantic', 'logbench.components.registry'}\n"
        "    heavy |= {'logbench.testing.rules'}\n"
        "    assert not heavy & set(sys.modules)\n    assert 'logbench.testing.pytest_plugin' in sys.modules\n"
    )
    done = run(project, "-m", "pytest", "-q", "-W", "error", "-p", "no:hypothesispytest")
    assert done.returncode == 0, done.stdout


def test_check_finds_the_same_and_exits_with_1(project: Path, run_logbench: Callable[..., Done]) -> None:
    site = str(project.parent / "site")
    done = run_logbench("check", "cheat", PYTHONPATH=site)
    assert done.code == 1
    said = [line.split()[0] for line in done.out.splitlines() if "VIOLATION: expected " in line]
    assert said == ["labels", "quiet", "imports"] and "; actual: " in done.out
    assert "1 checked: " in done.err and "3 violated" in done.err
    assert run_logbench("check", "length").code == 0
    for words in (
        ["check"],
        ["check", "length", "--all"],
        ["check", "lenght"],
        ["check", "length", "--kind", "parser"],
    ):
        assert run_logbench(*words).code == 2
    assert run_logbench("check", "ecvc", "--set", "edit.max_train=3").code == 2
