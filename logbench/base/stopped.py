"""Processes that this one stops before it ends them, and lets go on where it must leave first."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .system import psutil

WAIT_S = 1.0  # the lock is held for the time of one system call
_LOCK = threading.Lock()
_STOPPED: dict[int, psutil.Process] = {}


@contextmanager
def stopped(process: psutil.Process) -> Iterator[None]:
    """Stop a process while it is ended, so that it starts no more."""
    with _LOCK:
        _STOPPED[process.pid] = process
        process.suspend()
    yield
    _STOPPED.pop(process.pid, None)


def let_go() -> None:
    """Let all go on, and stop none from now on: they see that this process is gone, and end."""
    _LOCK.acquire(timeout=WAIT_S)  # kept: a process that is stopped now would stay for ever
    for process in [*_STOPPED.values()]:
        with suppress(Exception):  # it has ended
            process.resume()
