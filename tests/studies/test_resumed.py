"""Long commands that were stopped go on: what ran is not run again, and figures are those of one that was not."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from distributions import distribution

from logbench import Plan, Published, Table
from logbench.cli.bench import _folder as folder_of_bench
from logbench.components.registry import Registry
from logbench.running import records
from logbench.running.run_task import run_plan
from logbench.studies.regression_bench.run_suite import run_suite
from logbench.studies.regression_bench.suite import read_suite
from logbench.studies.reproduce import reproduce
from logbench.studies.workbench import Workbench

REGISTRY = Registry()
SUITE = """
models = ["length", "new-event", "ecvc"]
[datasets.hdfs-sim]
blocks = 300
[protocols.p]
train_units = 100
"""
SIM = {"hdfs-sim": {"blocks": "300"}, "protocol": {"train_units": "100"}}
TABLE = Table(
    name="mine", summary="", source="", dataset="hdfs-sim", settings=SIM,
    rows=[Published(model=name, metrics={"f1": 0.5}) for name in ("length", "no-such", "new-event", "ecvc")],
)  # fmt: skip


class Stopped:
    """Does plans here, counts runs, and is interrupted before run number `at`."""

    def __init__(self, at: int | None = None) -> None:
        self.at, self.runs = at, 0

    def map(self, function: Callable[[Plan], Any], plans: Sequence[Plan]) -> Iterator[tuple[int, Any]]:
        for number, plan in enumerate(plans):
            if function is run_plan:
                if self.runs == self.at:
                    raise KeyboardInterrupt
                self.runs += 1
            yield number, function(plan)


def bench_rows(folder: Path, executor: Stopped) -> list[Any]:
    (folder / "mine.toml").write_text(SUITE, encoding="utf-8")
    bench = Workbench.here(REGISTRY, executor=executor)
    found = run_suite(read_suite(folder / "mine.toml"), bench, folder / "runs")
    return [{name: row[name] for name in ("model", "status", "identity", "metrics")} for row, _ in found]


def table_cells(folder: Path, executor: Stopped) -> list[Any]:
    plan = Plan(model="", dataset="hdfs-sim", out=folder / "runs")
    found = reproduce(TABLE, plan, (), Workbench.here(REGISTRY, executor=executor))
    return [(row.model, cells) for row, cells, _ in found]


@pytest.mark.parametrize("study", [bench_rows, table_cells])
def test_a_study_that_was_stopped_goes_on_in_its_order(study: Callable[..., list[Any]], tmp_path: Path) -> None:
    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
    whole = study(tmp_path / "whole", Stopped())
    with pytest.raises(KeyboardInterrupt):
        study(tmp_path / "cut", Stopped(at=2))
    assert len(list(records.read(tmp_path / "cut" / "runs"))) == 2
    rest = Stopped()
    assert study(tmp_path / "cut", rest) == whole
    assert rest.runs == 1
    again = Stopped()
    assert study(tmp_path / "cut", again) == whole and again.runs == 0


def test_runs_of_a_suite_that_nobody_keeps_are_there_until_it_ends(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("LOGBENCH_CACHE", str(tmp_path / "cache"))
    with pytest.raises(KeyboardInterrupt), folder_of_bench(None, tmp_path / "a.toml") as first:
        (first / "records.jsonl").write_text("{}\n")
        with (
            folder_of_bench(None, tmp_path / "a.toml") as beside,
            folder_of_bench(None, tmp_path / "b.toml") as other,
        ):
            assert len({first, beside, other}) == 3
        raise KeyboardInterrupt
    assert not beside.exists() and not other.exists()
    with folder_of_bench(None, tmp_path / "a.toml") as second:
        assert second == first and (second / "records.jsonl").exists()
    assert not first.exists()


SLOW = """
import time
import logbench

class Slow:
    def fit(self, train, context):
        time.sleep(0.4)
        self.mean = train.lengths.mean()
    def score(self, sessions, context):
        return abs(sessions.lengths - self.mean)

@logbench.hookimpl
def logbench_models():
    for n in range(5):
        yield logbench.ModelComponent(f"slow{n}", Slow)

@logbench.hookimpl
def logbench_tables():
    rows = [logbench.Published(model=f"slow{n}", metrics={"f1": 0.5}) for n in range(5)]
    sim = {"hdfs-sim": {"blocks": "300"}, "protocol": {"train_units": "100"}}
    yield logbench.Table(name="slow", summary="", source="", dataset="hdfs-sim", rows=rows, settings=sim)
"""
SMALL = ["--dataset", "hdfs-sim", "--set", "dataset.blocks=300", "--set", "protocol.train_units=100"]
SLOW_SUITE = """
models = ["slow0", "slow1", "slow2", "slow3", "slow4"]
[datasets.hdfs-sim]
blocks = 300
[protocols.p]
train_units = 100
"""
COMMANDS = {
    "leaderboard": [
        *["leaderboard", "--models", "slow0,slow1,slow2,slow3,slow4", "--no-baselines", "--seeds", "1"],
        *SMALL,
    ],
    "sweep": ["sweep", "slow0", *SMALL, "--over", "train_units=60,70,80,90,100"],
    "reproduce": ["reproduce", "slow"],
    "tune": ["tune", "isolation-forest", "--over", "trees=10:40", "--trials", "6", "--draws", "2", *SMALL],
    "bench": ["bench", "run", "slow.toml"],
}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_is_killed_five_times_ends_as_one_that_was_not(name: str, tmp_path: Path) -> None:
    if name == "tune":
        pytest.importorskip("optuna", reason="needs logbench-harness[tune]")
    distribution(tmp_path / "site", "slowly", SLOW)
    whole = output_of(tmp_path / "whole", name)
    rng, cut = random.Random(name), tmp_path / "cut"
    for _ in range(5):
        running = start(cut, name, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        before, until = progress_of(cut), time.monotonic() + 60
        while progress_of(cut) == before and running.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(rng.uniform(0, 0.5))
        running.send_signal(signal.SIGKILL)
        running.wait(timeout=60)
    rows = output_of(cut, name)
    assert [row.keys() for row in rows] == [row.keys() for row in whole]
    for row, other in zip(rows, whole, strict=True):
        for key in row:
            assert row[key] == other[key], key
    if name not in ("tune", "bench"):
        kept = [json.loads(line) for line in (cut / "runs" / "records.jsonl").read_text().splitlines()]
        ran = [(record["model"], record["protocol"]["train_units"], record["seed"]) for record in kept]
        assert len(ran) == len(set(ran)) == 5, "nothing ran twice"


def start(folder: Path, name: str, **how: Any) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    (folder / "slow.toml").write_text(SLOW_SUITE)
    path = os.pathsep.join(filter(None, (str(folder.parent / "site"), os.environ.get("PYTHONPATH"))))
    env = {**os.environ, "PYTHONPATH": path, "LOGBENCH_CACHE": str(folder / "cache")}
    words = [sys.executable, "-m", "logbench", *COMMANDS[name], "--json"]
    return subprocess.Popen(words, cwd=folder, env=env, text=True, **how)


def progress_of(folder: Path) -> int:
    """Bytes of what a command keeps of its runs."""
    kept = [*folder.glob("runs/records.jsonl"), *folder.glob("runs/tune.journal")]
    return sum(path.stat().st_size for path in [*kept, *folder.glob("cache/unfinished/*/records.jsonl")])


VOLATILE = ("run", "run_id", "stages", "fit_s", "score_s", "peak_rss_mb", "started", "finished", "checksums",
            "artifacts", "environment", "dataset", "command", "training")  # fmt: skip


def output_of(folder: Path, name: str) -> list[Any]:
    """What a command prints, without names of runs and times."""
    running = start(folder, name, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = running.communicate(timeout=300)
    assert running.returncode in (0, 1), err
    rows = [json.loads(line) for line in out.splitlines()]
    assert rows
    return [{key: value for key, value in row.items() if key not in VOLATILE} for row in rows]
