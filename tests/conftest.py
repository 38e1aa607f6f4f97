"""Fixtures that several tests share: an own cache for each test, real data where it is, a hand-made HDFS log."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from real_data import DATA

settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile(
    "few", derandomize=True, deadline=None, max_examples=20, phases=(Phase.explicit, Phase.generate)
)
# The same examples in every run, however slow the machine; `HYPOTHESIS_PROFILE=default` looks for new ones.
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))

STAMP = "081109 203530 143 INFO dfs.DataNode: "
TINY = (
    "Receiving block blk_1 src: /10.0.0.1:4000 dest: /10.0.0.2:50010",
    "Receiving block blk_-2 src: /10.0.0.1:4001 dest: /10.0.0.2:50010",
    "BLOCK* ask 10.0.0.2:50010 to delete blk_1 blk_-2",  # names two blocks
    "Verification succeeded for blk_3",
    "BLOCK* ask 10.0.0.2:50010 to delete blk_1 blk_3 blk_1",  # A B A
    "Starting Periodic block scanner",  # names none
    "PacketResponder 1 for block blk_1 terminating",
    "Received block blk_-2 of size 67108864 from /10.0.0.1",
)
# blk_3 has no label, blk_9 no line.
TINY_LABELS = "BlockId,Label\nblk_1,Normal\nblk_-2,Anomaly\nblk_9,Anomaly\n"

WriteHdfs = Callable[..., Path]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or fills the user's cache, or hears of the user's data and plugins."""
    folder = tmp_path / "own-cache"
    monkeypatch.setenv("LOGBENCH_CACHE", str(folder))
    monkeypatch.setenv("LOGBENCH_CONFIG", str(tmp_path / "own-config"))
    monkeypatch.delenv("LOGBENCH_DATA", raising=False)
    monkeypatch.delenv("LOGBENCH_BLOCK", raising=False)
    return folder


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
