"""Processes that this one stops before it ends them, and lets go on where it must leave first."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

WAIT_S = 1.0  # the lock is held for the time of one system call
_LOCK = threading.Lock()
_STOPPED: set[int] = set()  # ids


@contextmanager
def stopped(process: psutil.Process) -> Iterator[None]:
    """Stop a process while it is ended, so that it starts no more."""
    with _LOCK:
        _STOPPED.add(process.pid)
        process.suspend()
    yield
    _STOPPED.discard(process.pid)


def let_go() -> None:
    """Let all go on, and stop none from now on: they see that this process is gone, and end."""
    _LOCK.acquire(timeout=WAIT_S)  # kept: a process that is stopped now would stay for ever
    for pid in [*_STOPPED]:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGCONT)
