"""Fixtures that several tests share: an own cache for each test, real data where it is, a hand-made HDFS log."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from hdfs_lines import STAMP, TINY, TINY_LABELS, WriteHdfs
from hypothesis import Phase, settings
from real_data import DATA
from with_torch import TORCH, imports_torch

# tox tells the width of its terminal; what a test reads is whole unless it sets a width itself.
os.environ.pop("COLUMNS", None)

settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile(
    "few", derandomize=True, deadline=None, max_examples=20, phases=(Phase.explicit, Phase.generate)
)
# The same examples in every run, however slow the machine; `HYPOTHESIS_PROFILE=default` looks for new ones.
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out test files that import torch where it is not installed."""
    return True if not TORCH and imports_torch(collection_path) else None


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or fills the user's cache, or hears of the user's data and plugins."""
    folder = tmp_path / "own-cache"
    monkeypatch.setenv("LOGBENCH_CACHE", str(folder))
    monkeypatch.setenv("LOGBENCH_CONFIG", str(tmp_path / "own-config"))
    monkeypatch.delenv("LOGBENCH_DATA", raising=False)
    monkeypatch.delenv("LOGBENCH_BLOCK", raising=False)
    return folder


@pytest.fixture
def remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found out about files is remembered, however small and new they are."""
    from logbench.base import file_digests

    monkeypatch.setattr(file_digests, "SMALL", 0)
    monkeypatch.setattr(file_digests, "_SETTLED_NS", -1)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout; skips where there is none."""
    if not DATA.is_dir():
        pytest.skip(f"no real data: {DATA} is absent")
    return DATA


@pytest.fixture
def write_hdfs(tmp_path: Path) -> WriteHdfs:
    """Writes a folder in the layout of HDFS_v1: `write_hdfs("name", messages, labels, newline)`."""

    def write(
        name: str = "hdfs", messages: Sequence[str] = TINY, labels: str = TINY_LABELS, newline: str = "\n"
    ) -> Path:
        folder = tmp_path / name
        (folder / "preprocessed").mkdir(parents=True)
        log = "".join(STAMP + message + newline for message in messages)
        (folder / "HDFS.log").write_bytes(log.encode())
        csv = labels.replace("\n", newline).encode()
        (folder / "preprocessed" / "anomaly_label.csv").write_bytes(csv)
        return folder

    return write


@pytest.fixture
def tiny_hdfs(write_hdfs: WriteHdfs) -> Path:
    """Eight lines, three blocks: see `TINY`."""
    return write_hdfs("tiny")
