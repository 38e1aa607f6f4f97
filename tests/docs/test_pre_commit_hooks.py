"""Hooks for pre-commit: their entries are commands with what they need, and pre-commit runs them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from logbench.cli import cli

ROOT = Path(__file__).parents[2]
HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
MODEL = """
class Longest:
    def fit(self, train, context):
        self.mean = train.lengths.mean()

    def score(self, sessions, context):
        return abs(sessions.lengths - self.mean)
"""
SUITE = 'seeds = [0]\ngates = {f1 = 0.02}\nmodels = ["length"]\n[datasets.hdfs-sim]\nblocks = 300\n[protocols.p]\n'


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_an_entry_is_a_command_that_takes_no_file_names(hook: dict[str, Any]) -> None:
    assert {"id", "name", "description", "entry", "language"} <= hook.keys()
    assert hook["language"] == "python" and hook["pass_filenames"] is False
    program, *words = hook["entry"].split()
    command: Any = cli
    for word in words:
        command = command.get_command(click.Context(command), word)
    assert program == "logbench" and isinstance(command, click.Command)


@pytest.mark.slow
def test_pre_commit_builds_the_hooks_and_runs_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pre_commit", reason="pre-commit is not installed: tox -e tracking")
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("pre-commit clones a repository, and this is none")
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "home"))
    folder = tmp_path / "plugin"
    folder.mkdir()

    def run(*words: str, code: int = 0) -> str:
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    run("git", "init", "--quiet")
    (folder / "longest.py").write_text(MODEL)
    (folder / "bench.toml").write_text(SUITE + "train_units = 100\n")
    run(sys.executable, "-m", "logbench", "bench", "run", "bench.toml", "--out", "baseline.jsonl")
    revision = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()
    hooks = [
        {"id": "logbench-check", "args": ["./longest.py"]},
        {"id": "logbench-gate", "args": ["bench.toml", "baseline.jsonl"], "stages": ["manual"]},
    ]
    config = {"repos": [{"repo": str(ROOT), "rev": revision, "hooks": hooks}]}
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    run("git", "add", ".")
    pre_commit = (sys.executable, "-m", "pre_commit", "run", "--all-files", "--verbose")
    checked = run(*pre_commit, "logbench-check")
    assert "model longest" in checked and "Passed" in checked
    assert "Passed" in run(*pre_commit, "logbench-gate", "--hook-stage", "manual")
    (folder / "baseline.jsonl").write_text((folder / "baseline.jsonl").read_text().replace('"f1": 0', '"f1": 1'))
    run("git", "add", ".")
    worse = run(*pre_commit, "logbench-gate", "--hook-stage", "manual", code=1)
    assert "WORSE: length" in worse
