"""End processes that cannot end themselves once their command was killed, as they hang in native code.

A command that starts workers also starts one small process, out of reach of Ctrl-C, which waits for the command's
end. Workers that see it themselves have `GRACE_S` to remove their files; what runs on then is killed, with all
that it started, and its folders are removed.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress

from .process_tree import end_group, end_tree
from .spawning import start
from .system import psutil
from .temporary_folders import remove_left

GRACE_S = 2.0
_LOCK = threading.Lock()
_waiting: list[subprocess.Popen[bytes]] = []


def watch(pid: int) -> None:
    """See that a process which this one started, the leader of its group, does not outlive this one."""
    with suppress(psutil.Error):
        _tell(f"+{pid} {psutil.Process(pid).create_time()}\n")


def unwatch(pid: int) -> None:
    """The process has been ended."""
    _tell(f"-{pid} 0\n")


def _tell(line: str) -> None:
    with _LOCK, suppress(OSError):  # without the process, workers still end themselves
        if not _waiting:
            _waiting.append(_start())
        stream = _waiting[0].stdin
        assert stream is not None
        stream.write(line.encode())
        stream.flush()


def _start() -> subprocess.Popen[bytes]:
    # It loads nothing until the command has ended, and nothing at all where every process ended before.
    code = (
        "import sys; told = sys.stdin.buffer.readlines(); left = [line for line in told if line[:1] == b'+']"
        f"\nif 2 * len(left) > len(told): sys.path[:] = {sys.path!r}; from {__name__} import wait; wait(told)"
    )
    null = subprocess.DEVNULL
    return start(
        [sys.executable, "-c", code], None, os.environ, leads=True, stdin=subprocess.PIPE, stdout=null, stderr=null
    )


@atexit.register
def _end() -> None:
    for process in _waiting:
        with suppress(OSError, subprocess.TimeoutExpired):
            assert process.stdin is not None
            process.stdin.close()
            process.wait(GRACE_S)


def _forget() -> None:
    """In a copy of this process: let go of the pipe, whose end says that this process ended."""
    for process in _waiting:
        if process.stdin is not None:
            with suppress(OSError):
                os.close(process.stdin.fileno())
    _waiting.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def wait(told: Iterable[bytes]) -> None:
    """Kill what was watched, now that the other end is closed. Lines are `+` or `-`, an id, and when it began."""
    begun: dict[int, float] = {}
    for line in told:
        told_of, began = line[1:].split()
        if line.startswith(b"+"):
            begun[int(told_of)] = float(began)
        else:
            begun.pop(int(told_of), None)
    end = time.monotonic() + GRACE_S
    while begun and time.monotonic() < end:
        begun = {pid: since for pid, since in begun.items() if _runs(pid, since)}
        time.sleep(0.05)
    for pid in begun:
        end_tree(pid)
        end_group(pid)
    if begun:
        remove_left()


def _runs(pid: int, began: float) -> bool:
    """Whether it is still this process, and no later one of its id."""
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        return bool(process.create_time() == began and process.status() != psutil.STATUS_ZOMBIE)
    return False
