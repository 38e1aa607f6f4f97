"""What other systems lack or do in another way: modules, signals, separators, line ends, encodings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from logbench.testing.command import Done, runner

SMALL = ("--dataset", "hdfs-sim", "--set", "dataset.blocks=300", "--set", "protocol.train_units=100")
# Modules and functions of Linux that Windows has not. numpy, psutil and platformdirs want a few others here.
HIDING = """
import os, sys
for name in ("fcntl", "grp", "pty", "pwd", "resource", "termios", "tty"):
    sys.modules[name] = None
for name in ("fork", "forkpty", "getpgid", "killpg", "mkfifo", "pread", "register_at_fork", "setpgid", "setsid",
             "sched_getaffinity", "O_NOFOLLOW", "O_NONBLOCK"):
    if hasattr(os, name):
        delattr(os, name)
"""


@pytest.fixture
def without(tmp_path: Path, own_cache: Path) -> Callable[..., Done]:
    """Runs a command where these are missing."""
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "sitecustomize.py").write_text(HIDING, encoding="utf-8")
    run = runner(tmp_path, own_cache)
    path = os.pathsep.join([str(tmp_path / "hidden"), os.environ.get("PYTHONPATH", "")])
    return lambda *words: run(*words, PYTHONPATH=path)


def test_a_run_and_a_score_need_nothing_that_only_some_systems_have(
    without: Callable[..., Done], tmp_path: Path
) -> None:
    done = without("run", "ecvc", *SMALL, "--no-baselines", "--save", "saved", "--timeout", "100", "--json")
    assert done.code == 0, done.err
    (line,) = (tmp_path / "runs" / "records.jsonl").read_text(encoding="utf-8").splitlines()
    record = json.loads(line)
    assert record["status"] == "ok" and record["run_id"] == json.loads(done.out)["run_id"]
    assert record["environment"]["memory_mb"] > 100 and record["stages"]["fit"]["peak_rss_mb"] > 1
    (log,) = (tmp_path / "own-cache").rglob("*.log")
    done = without("score", "saved", "--data", str(log), "--json")
    assert done.code == 0 and len(done.out.splitlines()) == 300, done.err


@pytest.mark.slow
def test_a_leaderboard_needs_nothing_that_only_some_systems_have(without: Callable[..., Done]) -> None:
    done = without("leaderboard", *SMALL, "--models", "ecvc,2-gram", "--jobs", "2", "--memory-limit", "4000")
    assert done.code == 0 and "2-gram" in done.out, done.err


HANGING = """import ctypes, pathlib, subprocess, sys, time
class Evaluator:
    def evaluate(self, *given):
        code = "import os, time; os.setsid(); open('child', 'w').write(str(os.getpid())); time.sleep(600)"
        subprocess.Popen([sys.executable, "-c", code])
        while not pathlib.Path("child").exists() or not pathlib.Path("child").read_text():
            time.sleep(0.02)
        pathlib.Path("worker").write_text(str(__import__("os").getpid()))
        ctypes.PyDLL(None).sleep(600)  # it holds the lock of Python: no thread and no signal handler runs
        return {}
"""


@pytest.mark.skipif(not hasattr(os, "setsid"), reason="another system")
def test_a_worker_that_hangs_holding_the_lock_dies_with_its_command(tmp_path: Path, own_cache: Path) -> None:
    (tmp_path / "hanging.py").write_text(HANGING, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "logbench", "run", "length", *SMALL, "--evaluator", "./hanging.py"],
        cwd=tmp_path, env={**os.environ, "LOGBENCH_CACHE": str(own_cache)}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    worker = tmp_path / "worker"
    until(lambda: process.poll() is not None or (worker.exists() and bool(worker.read_text())), 120)
    ids = [int((tmp_path / name).read_text()) for name in ("worker", "child")]
    assert all(map(psutil.pid_exists, ids))
    process.kill()
    process.wait()
    until(lambda: not any(map(psutil.pid_exists, ids)), 30)


def until(done: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)
