"""Whatever ends a command, no process and no folder of it is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from distributions import distribution

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads the environment of processes")

CODE = """
import os, subprocess, sys, time
from pathlib import Path
import logbench
from logbench import Card, DatasetComponent, EvaluatorComponent, ModelComponent

ORPHAN = (
    "import subprocess, sys; words = [sys.executable, '-c', 'import time; time.sleep(600)', sys.argv[1]];"
    "subprocess.Popen(words, start_new_session=True)"
)

def begun():
    Path(os.environ["BEGUN"]).write_text(str(os.getpid()))
    time.sleep(600)

class Model:
    def fit(self, train, context):
        if os.environ["HANG"] == "fit":
            begun()
        if os.environ["HANG"] == "leave":
            subprocess.run([sys.executable, "-c", ORPHAN, os.environ["MARK"]], start_new_session=True)
    def score(self, sessions, context):
        if os.environ["HANG"] == "score":
            begun()
        return sessions.lengths

class Reader:
    def read(self, path):
        if os.environ["HANG"] == "read":
            begun()
        from logbench.running.resolve import configured
        from logbench.components.registry import Registry
        return configured(Registry(block=["slow"]).get("dataset", "deeplog-archive"), {}).build().read(path)

class Judge:
    def evaluate(self, units):
        if os.environ["HANG"] == "evaluate":
            begun()
        return {}

@logbench.hookimpl
def logbench_models():
    yield ModelComponent("slow", Model)

@logbench.hookimpl
def logbench_evaluators():
    yield EvaluatorComponent("judge", Judge)

@logbench.hookimpl
def logbench_datasets():
    card = Card(title="x", label="x", parser="none", windower="session", protocol="hdfs", layout="x")
    yield DatasetComponent("odd", Reader, card=card)
"""
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture(autouse=True)
def no_signal_is_ignored() -> Iterator[None]:
    """`nohup`, under which tests may run, lets SIGHUP be ignored by all that they start."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a command that hangs in the stage `hang` of a plugin, and waits until it does."""
    distribution(tmp_path / "site", "slow", CODE)
    data = tmp_path / "data"
    data.mkdir()
    (data / "hdfs_train").write_text("1 2 3 4\n1 2 2 3\n" * 40)
    (data / "hdfs_test_normal").write_text("1 2 3 4\n1 2 2 3\n" * 20)
    (data / "hdfs_test_abnormal").write_text("1 2 3 5\n")
    (tmp_path / "tmp").mkdir()
    begun, running = tmp_path / "begun", []

    def call(hang: str, *words: str) -> subprocess.Popen[str]:
        begun.unlink(missing_ok=True)
        site = os.pathsep.join([str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        env = {**os.environ, "PYTHONPATH": site, "TMPDIR": str(tmp_path / "tmp"),
               "LOGBENCH_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1",
               "HANG": hang, "BEGUN": str(begun), "MARK": str(tmp_path)}  # fmt: skip
        running.append(
            subprocess.Popen(
                [sys.executable, "-m", "logbench", *words], cwd=tmp_path, env=env, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
            )
        )  # fmt: skip
        if hang != "leave":
            assert until(lambda: begun.exists() or running[-1].poll() is not None)
            assert running[-1].poll() is None, running[-1].communicate()
        return running[-1]

    yield call
    for one in running:
        one.kill()
        one.communicate()
    for left in of(tmp_path):
        left.kill()


RUN = ("run", "slow", "--dataset", "odd", "--data", "data", "--evaluator", "judge", "--no-baselines")
CHECK = ("check", "slow", "--kind", "model")


def until(true: Callable[[], bool], seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    return true()


def of(folder: Path) -> list[psutil.Process]:
    """Processes that were started for a test, by their environment or words."""
    found = []
    for process in psutil.process_iter():
        try:
            named = process.environ().get("MARK") == str(folder) or str(folder) in process.cmdline()
            if named and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def nothing_left(folder: Path) -> bool:
    return until(lambda: not of(folder) and not [*(folder / "tmp").iterdir()], 10)


@pytest.mark.parametrize(
    ("words", "sent", "code"),
    [
        (RUN, "SIGTERM", 143),
        (RUN, "SIGHUP", 129),
        (RUN, "SIGKILL", -9),
        (CHECK, "SIGTERM", 143),
        (CHECK, "SIGINT", 130),
        (CHECK, "SIGKILL", -9),
    ],
)
def test_a_signal_ends_a_command_with_all_that_it_started(
    start: Start, tmp_path: Path, words: tuple[str, ...], sent: str, code: int
) -> None:
    running = start("fit", *words)
    assert [*(tmp_path / "tmp").iterdir()] and len(of(tmp_path)) >= 2
    running.send_signal(getattr(signal, sent))
    _, said = running.communicate(timeout=60)
    assert running.returncode == code and "Traceback" not in said
    assert nothing_left(tmp_path), (of(tmp_path), [*(tmp_path / "tmp").iterdir()])


def test_an_interruption_in_any_stage_keeps_what_was_finished(start: Start, tmp_path: Path) -> None:
    out, said = start("leave", *RUN, "--json").communicate(timeout=120)
    assert json.loads(out)["status"] == "ok", said
    assert nothing_left(tmp_path), "what leads a session of its own ends with the run"
    before = (tmp_path / "runs" / "records.jsonl").read_bytes()
    for stage in ("read", "fit", "score", "evaluate"):
        running = start(stage, *RUN, "--seed", "1")
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
        assert running.returncode == 130 and said.endswith("interrupted: what was finished is kept\n")
        assert (tmp_path / "runs" / "records.jsonl").read_bytes() == before
        assert nothing_left(tmp_path)


@pytest.mark.parametrize("stage", ["read", "fit", "evaluate"])
def test_a_process_that_is_killed_gives_a_record_with_its_stage(start: Start, tmp_path: Path, stage: str) -> None:
    running = start(stage, *RUN, "--json")
    os.kill(int((tmp_path / "begun").read_text()), signal.SIGKILL)
    out, said = running.communicate(timeout=60)
    record = json.loads(out)
    assert record["error"]["type"] == "Killed" and running.returncode == 2, said
    assert record["error"]["stage"] == {"read": "locate"}.get(stage, stage)
    assert nothing_left(tmp_path)


def test_the_next_command_removes_folders_of_processes_that_are_gone(start: Start, tmp_path: Path) -> None:
    running = start("fit", *RUN)
    for one in sorted(of(tmp_path), key=lambda process: process.pid != running.pid):
        one.kill()  # so that none can clear up
    running.communicate(timeout=60)
    (left,) = (tmp_path / "tmp").iterdir()
    start("leave", *RUN).communicate(timeout=120)
    assert not left.exists() and nothing_left(tmp_path)


def test_a_command_that_must_leave_while_it_ends_a_worker_leaves_none(tmp_path: Path) -> None:
    """On a busy machine the time to leave comes while a worker is stopped, and not ended yet."""
    code = """
import os, time
from pathlib import Path
from logbench.base import process_tree
from logbench.base.child_process import Limits
from logbench.cli import interrupt
from logbench.running.workers import Crew

interrupt.install()
with Crew(1, (), Limits(), print) as crew:
    end_below = process_tree.end_below
    process_tree.end_below = lambda process: time.sleep(600)
    Path(os.environ["BEGUN"]).touch()
    time.sleep(600)
"""
    (tmp_path / "tmp").mkdir()
    env = {**os.environ, "TMPDIR": str(tmp_path / "tmp"), "MARK": str(tmp_path), "BEGUN": str(tmp_path / "begun")}
    running = subprocess.Popen([sys.executable, "-c", code], env=env, stderr=subprocess.PIPE, text=True)
    assert until((tmp_path / "begun").exists)
    running.send_signal(signal.SIGTERM)
    _, said = running.communicate(timeout=60)
    assert (running.returncode, said) == (143, "interrupted: what was finished is kept\n")
    assert nothing_left(tmp_path), (of(tmp_path), [*(tmp_path / "tmp").iterdir()])
