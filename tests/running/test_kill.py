"""kill -9 at any moment: earlier records and cache entries stay whole, and the next run succeeds."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import logbench

KILLS = 20


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_killed_runs_leave_everything_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = tmp_path / "runs" / "records.jsonl"
    started = time.monotonic()
    assert start(tmp_path).wait(timeout=120) == 0
    whole = time.monotonic() - started
    before = records.read_bytes()
    rng = random.Random(4)
    for number in range(KILLS):
        running = start(tmp_path, "--set", f"dataset.data_seed={number + 2}")
        time.sleep(rng.uniform(0.2, 1.1) * whole)
        running.kill()
        running.wait(timeout=60)
        assert records.read_bytes().startswith(before)
    assert start(tmp_path).wait(timeout=120) == 0
    after = records.read_bytes()
    assert after.startswith(before)
    complete = [json.loads(line) for line in after.splitlines() if is_json(line)]
    assert complete[-1]["status"] == "ok" and all(record["status"] == "ok" for record in complete)
    for record in complete:
        assert (records.parent / record["artifacts"]["scores"]).exists()
    monkeypatch.setenv("LOGBENCH_CACHE", str(tmp_path / "cache"))
    for number in range(KILLS):  # whatever the killed runs left in the cache is used now
        settings = {"dataset": {"blocks": 300, "data_seed": number + 2}, "protocol": {"train_units": 100}}
        (record,) = logbench.run("new-event+length", dataset="hdfs-sim", settings=settings, out=tmp_path / "again")
        assert record.status == "ok", record.error


def start(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "logbench", "run", "new-event+length", "--dataset", "hdfs-sim"]
    small = ("--set", "dataset.blocks=300", "--set", "protocol.train_units=100")
    env = {**os.environ, "LOGBENCH_CACHE": str(folder / "cache")}
    quiet = subprocess.DEVNULL
    return subprocess.Popen([*command, *small, *words], cwd=folder, env=env, stdout=quiet, stderr=quiet)


def is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except json.JSONDecodeError:
        return False
    return True
