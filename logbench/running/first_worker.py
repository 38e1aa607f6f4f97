"""Start a command's worker before the command has loaded, so that both load side by side."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..base.child_process import Child, Limits
from ..base.temporary_folders import temporary

# Commands that start with one worker, and words that ask for one of another kind, or for none.
COMMANDS = frozenset({"run", "leaderboard", "protocols", "sweep", "robust", "transfer", "tune", "reproduce"})
OTHERWISE = ("--jobs", "-j", "--timeout", "--memory-limit", "--executor", "--track", "--help", "-h")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")


@dataclass(frozen=True)
class Started:
    """A worker that has been started.

    Attributes:
        folder: for files handed to its models.
        around: `sys.path` and environment that it was started with.
    """

    child: Child
    folder: Path
    around: tuple[list[str], dict[str, str]]

    def end(self) -> None:
        """Kill it with its descendants, and remove its folder."""
        self.child.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


_waiting: list[Started] = []


def threads(beside: int) -> dict[str, str]:
    """Environment variables that divide the cores between workers; the user's own settings win."""
    return dict.fromkeys(THREADS, str(max(1, (os.cpu_count() or 1) // beside))) if beside > 1 else {}


def started(beside: int, block: Sequence[str], limits: Limits) -> Started:
    """A worker of this kind: the one that waits, where it is of this kind, or a new one.

    Args:
        beside: most workers side by side.
        block: plugins not to load.
    """
    if beside == 1 and not block and limits == Limits() and _waiting:
        early = _waiting.pop()
        if not early.child.ended and early.around == _around():
            return early
        early.end()
    folder, around = temporary(), _around()
    try:
        child = Child(
            "logbench.running.worker_start:serve", beside, list(block), limits.timeout, limits.memory_mb,
            str(folder), env=threads(beside), leads=True,
        )  # fmt: skip
    except BaseException:  # Ctrl-C too
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Started(child, folder, around)


def start_early(words: Sequence[str]) -> None:
    """Start the worker that a command of these words will ask for; nothing where that is not plain.

    At the end of this process it is ended, if nobody asked. What fails here fails again, and is said in one line,
    where the command asks.
    """
    plain = words[:1] and words[0] in COMMANDS and not any(word.startswith(OTHERWISE) for word in words)
    if plain and None not in (sys.stdin, sys.stdout, sys.stderr):  # else its pipe might get the number of one
        with suppress(OSError):
            _waiting.append(started(1, (), Limits()))
            atexit.register(_end)


def _around() -> tuple[list[str], dict[str, str]]:
    return list(sys.path), dict(os.environ)


def _end() -> None:
    while _waiting:
        _waiting.pop().end()
