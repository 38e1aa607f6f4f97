"""The tutorial's plugin, and broken ones, as distributions of their own beside the installed logbench."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from distributions import distribution
from snippets import ROOT, blocks


def from_tutorial(name: str) -> str:
    """A file as the tutorial prints it first."""
    page = ROOT / "docs" / "tutorial.md"
    return next(block.text for block in blocks(page) if (block.mark, block.value) == ("file", name))


def logbench(site: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(site), "LOGBENCH_CACHE": str(site / "cache")}
    command = [sys.executable, "-m", "logbench", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=site, env=env, timeout=300, check=False)


def test_the_tutorials_plugin_is_listed_run_and_compared(tmp_path: Path) -> None:
    code = from_tutorial("longest.py")
    assert len([line for line in code.splitlines() if line.strip()]) <= 15
    assert "longest" in from_tutorial("pyproject.toml")
    distribution(tmp_path, "longest", code)
    assert "longest" in logbench(tmp_path, "list", "model").stdout
    options = ("--dataset", "hdfs-sim", "--set", "dataset.blocks=2000", "--set", "protocol.train_units=500")
    done = logbench(tmp_path, "run", "longest", "new-event+length", *options)
    assert done.returncode == 0, done.stderr
    ids = [
        line.split()[0]
        for line in logbench(tmp_path, "runs").stdout.splitlines()
        if "-longest-" in line or "-new-" in line
    ]
    compared = logbench(tmp_path, "compare", *ids)
    assert compared.returncode in (0, 1) and "difference" in compared.stdout, compared.stderr


HOOK = "import logbench\n@logbench.hookimpl\ndef logbench_models():\n    "


@pytest.mark.parametrize(
    ("code", "said"),
    {
        "import nothing_like_it\n": "ModuleNotFoundError: No module named 'nothing_like_it'",
        "raise SystemExit(3)\n": "SystemExit: 3",
        HOOK.replace("models", "modles") + "return []\n": "did you mean 'logbench_models'",
        "def logbench_models():\n    return []\n": "lacks @logbench.hookimpl",
        HOOK + "return [7]\n": "must yield ModelComponent, got int",
        HOOK + "return 7\n": "must return an iterable, got int",
        HOOK + "raise ValueError('oh')\n": "ValueError: oh",
        HOOK + "yield logbench.ModelComponent('deeplog', dict)\n": "already taken by deeplog (logbench-harness",
        HOOK + "yield logbench.ModelComponent('two words', dict)\n": "one word without spaces",
        "x = 1\n": "implements no hook",
    }.items(),
)
def test_a_broken_plugin_is_one_line_and_harms_nothing(tmp_path: Path, code: str, said: str) -> None:
    distribution(tmp_path, "broken", code)
    done = logbench(tmp_path, "list", "model")
    assert done.returncode == 0 and "deeplog" in done.stdout
    (line,) = done.stderr.splitlines()
    assert said in line and "broken (dist-broken 0.1)" in line
    assert said.split(":", maxsplit=1)[0] in logbench(tmp_path, "plugins").stdout


@pytest.mark.parametrize(
    ("body", "said"),
    {
        "return np.full(len(sessions), np.nan)": "is NaN, first at unit 0",
        "return np.zeros(3)": "must return numbers",
        "return 'high'": "must return numbers",
    }.items(),
)
def test_bad_scores_are_one_line(tmp_path: Path, body: str, said: str) -> None:
    distribution(tmp_path, "bad", model(body))
    done = logbench(tmp_path, "run", "bad", "--dataset", "hdfs-sim", "--set", "dataset.blocks=500",
                    "--set", "protocol.train_units=100")  # fmt: skip
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert said in done.stderr


def test_a_model_that_exits_prints_or_fails_leaves_the_others(tmp_path: Path) -> None:
    distribution(tmp_path, "bad", model("print('noise'); raise SystemExit(5)"))
    done = logbench(tmp_path, "run", "bad", "new-event+length", "--dataset", "hdfs-sim", "--json",
                    "--set", "dataset.blocks=500", "--set", "protocol.train_units=100")  # fmt: skip
    import json

    bad, good = map(json.loads, done.stdout.splitlines())
    assert bad["status"] == "error" and bad["error"]["type"] == "SystemExit" and bad["error"]["stage"] == "score"
    assert good["status"] == "ok" and good["metrics"]["session"]["all"]["f1"] is not None
    assert done.returncode == 1


def model(body: str) -> str:
    """A plugin whose model's `score` is `body`."""
    return (
        "import numpy as np\nimport logbench\n\n\nclass Bad:\n    def fit(self, train, context):\n        pass\n\n"
        f"    def score(self, sessions, context):\n        {body}\n\n\n"
        "@logbench.hookimpl\ndef logbench_models():\n    yield logbench.ModelComponent('bad', Bad)\n"
    )
