"""Runs on a Ray cluster of two nodes: the records of this machine, though one node is lost in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from distributions import distribution

pytestmark = pytest.mark.slow
pytest.importorskip("ray", reason="needs logbench-harness[ray]")

TIMES = ("run_id", "stages", "started", "finished", "checksums", "artifacts", "environment", "training", "command")
SLOW = """
import os, time
from pathlib import Path
import logbench

class Slow:
    def fit(self, train, context):
        with Path(os.environ["FITS"]).open("a") as fits:
            fits.write("fit\\n")
        time.sleep(float(os.environ.get("SLOW_S", "2")))
        self.mean = train.lengths.mean()
    def score(self, sessions, context):
        return abs(sessions.lengths - self.mean)

@logbench.hookimpl
def logbench_models():
    for n in range(6):
        yield logbench.ModelComponent(f"slow{n}", Slow)
"""
MODELS = ",".join(f"slow{n}" for n in range(6))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    distribution(tmp_path / "site", "slowly", SLOW)
    path = os.pathsep.join(filter(None, (str(tmp_path / "site"), os.environ.get("PYTHONPATH"))))
    monkeypatch.setenv("PYTHONPATH", path)
    monkeypatch.setenv("LOGBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("FITS", str(tmp_path / "fits"))
    (tmp_path / "fits").touch()
    return tmp_path / "site"


@pytest.fixture
def cluster(site: Path) -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    made.second = made.add_node(num_cpus=1)
    yield made
    made.shutdown()


def start(out: Path, cluster: Any = None, *words: str) -> subprocess.Popen[str]:
    small = ["--dataset", "hdfs-sim", "--set", "dataset.blocks=300", "--set", "protocol.train_units=100"]
    asked = ["--models", MODELS, "--seeds", "1", "--no-baselines", "--out", str(out), *small, "--json", *words]
    if cluster is not None:
        asked += ["--executor", "ray"]
    env = {**os.environ, **({"RAY_ADDRESS": cluster.address} if cluster else {})}
    line = [sys.executable, "-m", "logbench", "leaderboard", *asked]
    return subprocess.Popen(line, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def facts(out: Path) -> dict[str, Any]:
    kept = [json.loads(line) for line in (out / "records.jsonl").read_text().splitlines()]
    assert len({one["model"] for one in kept}) == len(kept), "one record a run"
    return {one["model"]: {key: value for key, value in one.items() if key not in TIMES} for one in kept}


def tables(out: Path) -> dict[tuple[str, str], bytes]:
    kept = [json.loads(line) for line in (out / "records.jsonl").read_text().splitlines()]
    return {
        (one["model"], name): (out / path).read_bytes() for one in kept for name, path in one["artifacts"].items()
    }


def fits(site: Path) -> int:
    return len((site.parent / "fits").read_text().splitlines())


def wait_for(condition: Any, seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)


def finished(running: subprocess.Popen[str]) -> str:
    _, said = running.communicate(timeout=300)
    assert running.returncode == 0, said
    return said


def test_a_node_is_lost_in_the_middle(site: Path, cluster: Any, tmp_path: Path) -> None:
    finished(start(tmp_path / "here"))
    assert fits(site) == 6
    running = start(tmp_path / "there", cluster)
    wait_for(lambda: fits(site) >= 8)  # two runs, one on each node
    cluster.remove_node(cluster.second, allow_graceful=False)
    finished(running)
    assert fits(site) > 12, "a run that was lost started again"
    assert facts(tmp_path / "here") == facts(tmp_path / "there")
    assert tables(tmp_path / "here") == tables(tmp_path / "there")


def test_a_killed_command_goes_on_and_limits_hold(site: Path, cluster: Any, tmp_path: Path) -> None:
    for _ in range(2):
        running, before = start(tmp_path / "out", cluster), fits(site)
        wait_for(lambda before=before: fits(site) >= before + 3)
        running.send_signal(signal.SIGKILL)
        running.communicate(timeout=60)
    done = len((tmp_path / "out" / "records.jsonl").read_text().splitlines())
    assert done >= 2
    assert f"{done} of 6 runs taken over" in finished(start(tmp_path / "out", cluster))
    assert len(facts(tmp_path / "out")) == 6
    late = start(tmp_path / "late", cluster, "--timeout", "0.5")
    out, _ = late.communicate(timeout=300)
    errors = [json.loads(line)["error"]["message"] for line in out.splitlines()]
    assert errors == ["took longer than --timeout 0.5 s to fit and score"] * 6


def test_no_cluster_is_one_line(site: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    running = start(tmp_path / "out", None, "--executor", "ray://127.0.0.1:9")
    _, said = running.communicate(timeout=120)
    assert running.returncode == 2
    assert said.startswith("error: --executor ray: no Ray cluster answers at ray://127.0.0.1:9")
    assert "Traceback" not in said
