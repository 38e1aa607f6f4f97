"""Every deep model is trained on raw logs, exported, and scores raw logs where torch cannot be imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from real_data import DATA

from logbench.components.registry import Registry

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        any(find_spec(name) is None for name in ("torch", "onnxscript", "onnxruntime")), reason="needs [export]"
    ),
]
HDFS = DATA / "hdfs_v1_sample" / "HDFS_v1.zip"
DEEP = {
    name: entry.item for name, entry in Registry().offered("model").items() if entry.item.requires == ("torch",)
}
UNEXPORTED = {"deeplog-values", "deeplog-full"}


def logbench(*words: str, cwd: Path, torch: bool = True, status: int = 0) -> subprocess.CompletedProcess[str]:
    """The command, in a process where importing torch fails unless it may."""
    environment = {**os.environ, "COLUMNS": "80"}
    if not torch:
        blocked = cwd / "blocked"
        (blocked / "torch").mkdir(parents=True, exist_ok=True)
        (blocked / "torch" / "__init__.py").write_text("raise ModuleNotFoundError('torch is blocked')\n")
        environment["PYTHONPATH"] = os.pathsep.join([str(blocked), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "logbench", *words]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def quick(name: str) -> list[str]:
    """Options that make training short; what it learns does not matter here."""
    config = DEEP[name].config
    assert config is not None
    fields = config.__dataclass_fields__
    chosen = {"steps": 30, "passes": 1, "stop": "passes" if "length" in fields else None, "draws": 4}
    words = [f"{name}.{key}={value}" for key, value in chosen.items() if key in fields and value is not None]
    if DEEP[name].traits.supervision == "supervised":
        words.append("protocol.content=labelled")
    return [word for each in words for word in ("--set", each)]


@pytest.mark.skipif(not HDFS.is_file(), reason="real HDFS logs are not here")
@pytest.mark.parametrize(
    ("name", "bound"),
    [*((name, None) for name in sorted({*DEEP} - UNEXPORTED)), ("deeplog", 6), ("loggpt-small", 6), ("mlp", 6)],
)
def test_raw_logs_are_scored_alike_without_torch(name: str, bound: int | None, tmp_path: Path) -> None:
    data = ["--data", str(HDFS)]
    most = [] if bound is None else ["--set", f"{name}.max_keys={bound}"]
    logbench("run", name, "--dataset", "hdfs", *data, *quick(name), *most, "--save", "saved", cwd=tmp_path)
    (made,) = map(json.loads, logbench("export", "saved", "--json", cwd=tmp_path).stdout.splitlines())
    assert made["parity"]["verdicts_changed"] == 0
    assert made["parity"]["largest_difference"] <= 1e-4
    assert made["parity"]["units"] > 1000
    own = logbench("score", "saved", *data, "--json", cwd=tmp_path).stdout
    words = ("score", "saved", *data, "--json", "--engine", "onnxruntime")
    found = logbench(*words, cwd=tmp_path, torch=False).stdout
    ours, theirs = ({row["unit"]: row for row in map(json.loads, text.splitlines())} for text in (own, found))
    assert ours.keys() == theirs.keys()
    assert any(row["verdict"] for row in ours.values()) or name.startswith(("logbert", "autoencoder"))
    for unit, row in ours.items():
        other = theirs[unit]
        assert row["verdict"] == other["verdict"], (row, other)
        if isinstance(row["score"], float) and isinstance(other["score"], float):
            assert other["score"] == pytest.approx(row["score"], rel=1e-4, abs=1e-4)
        else:
            assert row["score"] == other["score"]


def test_torch_export_is_checked_and_written(tmp_path: Path) -> None:
    run = ("run", "deeplog", "--dataset", "hdfs-sim", "--set", "dataset.blocks=600", *quick("deeplog"))
    logbench(*run, "--save", "saved", cwd=tmp_path)
    logbench("export", "saved", "--to", "torch-export", "-o", "model.pt2", cwd=tmp_path)
    assert (tmp_path / "model.pt2").stat().st_size > 10_000
    again = logbench("export", "saved", "--to", "torch-export", "-o", "model.pt2", cwd=tmp_path, status=2)
    assert "--overwrite" in again.stderr
    refused = logbench(
        "score", "saved", "--data", "saved", "--engine", "onnxruntime", cwd=tmp_path, torch=False, status=2
    )
    assert "logbench export saved" in refused.stderr
