"""Folders of ended processes go, whether or not their parent has asked how they ended."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from logbench.base.temporary_folders import remove_left, temporary


def test_what_an_ended_process_left_goes_and_what_a_running_one_has_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    kept = temporary()
    ended = subprocess.Popen([sys.executable, "-c", ""])
    while psutil.Process(ended.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    left = Path(str(kept).replace(f"-{os.getpid()}-", f"-{ended.pid}-"))
    left.mkdir()
    remove_left()
    assert kept.is_dir() and not left.exists()
    ended.wait()
    left.mkdir()
    remove_left()
    assert kept.is_dir() and not left.exists()
