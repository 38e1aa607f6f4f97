"""The GitHub Action: what it declares fits together, and its steps run in bash as the runner runs them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
INSTALL, GATE = (step for step in STEPS if "run" in step)
SUITE = """
seeds = [0]
gates = {f1 = 0.02}
models = ["length"]
[datasets.hdfs-sim]
blocks = 300
[protocols.p]
train_units = 100
"""
EXPRESSION = re.compile(r"\$\{\{ (.*?) \}\}")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the steps are bash")


def test_what_the_action_declares_fits_together() -> None:
    assert ACTION["runs"]["using"] == "composite" and {"name", "description"} <= ACTION.keys()
    for name, one in ACTION["inputs"].items():
        assert one["description"] and (one.get("required") or "default" in one), name
    used = set(re.findall(r"inputs\.([\w-]+)", yaml.safe_dump([STEPS, ACTION["outputs"]], width=10_000)))
    assert used == ACTION["inputs"].keys()
    steps = {step["id"] for step in STEPS if "id" in step}
    for output in ACTION["outputs"].values():
        assert set(re.findall(r"steps\.(\w+)\.", output["value"])) <= steps
    for step in STEPS:
        assert "${{" not in step.get("run", ""), "an input in a script is code of whoever wrote it"
        assert "uses" in step or step["shell"] == "bash"


def run_step(step: Mapping[str, Any], folder: Path, inputs: Mapping[str, str], path: Path) -> Any:
    """Run a step with these inputs and the defaults of others, as the runner does.

    Args:
        path: folder of the Python that `actions/setup-python` would have put first.
    """
    known = {f"inputs.{name}": str(one.get("default", "")) for name, one in ACTION["inputs"].items()}
    known |= {f"inputs.{name}": value for name, value in inputs.items()} | {"github.action_path": str(ROOT)}
    script = folder / "step.sh"
    script.write_text(step["run"], encoding="utf-8")
    env = {name: EXPRESSION.sub(lambda found: known[found[1]], text) for name, text in step["env"].items()}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
        cwd=folder,
        env={
            **os.environ,
            **env,
            "PATH": f"{path}{os.pathsep}{os.environ['PATH']}",
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
            "GITHUB_WORKSPACE": str(folder),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def ready(folder: Path) -> dict[str, str]:
    """A suite and its baseline in a folder; the inputs that name them."""
    (folder / "my suite.toml").write_text(SUITE, encoding="utf-8")
    made = ["bench", "run", "my suite.toml", "--out", "base line.jsonl"]
    subprocess.run([sys.executable, "-m", "logbench", *made], cwd=folder, check=True, capture_output=True)
    return {"suite": "my suite.toml", "baseline": "base line.jsonl"}


def test_the_gate_fails_and_says_so_in_the_summary(tmp_path: Path) -> None:
    inputs, binaries = ready(tmp_path), Path(sys.executable).parent
    baseline = tmp_path / "base line.jsonl"
    baseline.write_text(re.sub(r'"f1": [\d.]+', '"f1": 1.5', baseline.read_text()))
    worse = run_step(GATE, tmp_path, {**inputs, "slower": "50"}, binaries)
    assert worse.returncode == 1 and (tmp_path / "output").read_text() == "status=1\n"
    assert worse.stdout.startswith("::error title=bench%3A WORSE,file=base line.jsonl,line=")
    assert "1 of 1 cell worse" in (tmp_path / "summary.md").read_text()
    assert (tmp_path / "logbench-new.jsonl").read_text().count("\n") == 2
    (tmp_path / "my suite.toml").write_text(SUITE.replace("300", "301"))
    other = run_step(GATE, tmp_path, {**inputs, "new-cells": "pass"}, binaries)
    assert other.returncode == 0 and (tmp_path / "output").read_text().endswith("status=3\n")
    hostile = run_step(GATE, tmp_path, {**inputs, "suite": "$(touch x);`touch x`"}, binaries)
    assert hostile.returncode == 2 and not (tmp_path / "x").exists()


@pytest.mark.slow
def test_the_action_installs_itself_and_runs_in_a_clean_environment(tmp_path: Path) -> None:
    inputs = ready(tmp_path)
    venv.create(tmp_path / "clean", with_pip=True)
    binaries = tmp_path / "clean" / "bin"
    installed = run_step(INSTALL, tmp_path, {"extras": "report", "install": "wheel\ntomli_w"}, binaries)
    assert installed.returncode == 0, installed.stderr
    asked = [binaries / "python", "-c", "import jinja2, tomli_w, wheel, logbench; print(logbench.__file__)"]
    where = subprocess.run(asked, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert where.startswith(str(tmp_path / "clean"))
    done = run_step(GATE, tmp_path, inputs, binaries)
    assert done.returncode == 0 and (tmp_path / "output").read_text() == "status=0\n", done.stderr
    (tmp_path / "my suite.toml").write_text(SUITE.replace("300", "301"))
    assert run_step(GATE, tmp_path, inputs, binaries).returncode == 3
