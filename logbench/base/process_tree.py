"""Measure the memory of a process and its descendants, and kill them."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from .stopped import stopped
from .system import psutil

MB = 2**20
# Most rounds of looking for processes that were started meanwhile.
ROUNDS = 100
WAIT_S = 0.002
# `PR_SET_CHILD_SUBREAPER` of prctl(2).
SUBREAPER = 36


def memory_mb_of(pid: int) -> float:
    """Resident memory of a process and its descendants, MB; 0 once it has ended."""
    total = 0
    with suppress(psutil.Error):
        own = psutil.Process(pid)
        for process in [own, *own.children(recursive=True)]:
            with suppress(psutil.Error):
                total += process.memory_info().rss
    return total / MB


def adopt() -> None:
    """Become the parent of orphaned descendants, so that `end_tree` finds them; on Linux alone."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)


def end_tree(pid: int) -> None:
    """Kill a process and its descendants, also those that lead a session of their own.

    Stops the process first, so that it starts no others.
    """
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        with stopped(process):
            end_below(process)
            process.kill()


def end_group(pid: int) -> None:
    """Kill what is left of the process group that a process led; nothing on systems without such groups."""
    if sys.platform != "win32" and hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def end_below(process: psutil.Process) -> None:
    """Kill the descendants of a process, also those started meanwhile."""
    for _ in range(ROUNDS):
        below = [child for child in process.children(recursive=True) if _runs(child)]
        if not below:
            return
        for child in below:
            with suppress(psutil.Error):
                child.kill()
        time.sleep(WAIT_S)


def _hush() -> None:
    """Silence this process, which would complain about the killed processes that it works with."""
    null = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(null, number)


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _remove(folder: Path) -> None:
    """Remove a folder, even while another thread of this process fills it."""
    for _ in range(ROUNDS):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(WAIT_S)


def follow(wait: Callable[[], object], folders: Callable[[], Sequence[Path]]) -> None:
    """Kill this process group and its descendants as soon as the parent has ended.

    Args:
        wait: returns, or raises EOFError or OSError, when the parent has ended.
        folders: gives folders to remove then.
    """

    def end() -> None:
        with suppress(EOFError, OSError):
            wait()
        _hush()
        with suppress(psutil.Error):
            end_below(psutil.Process())
        for folder in folders():
            _remove(folder)
        end_group(0)
        psutil.Process().kill()

    threading.Thread(target=end, daemon=True).start()
