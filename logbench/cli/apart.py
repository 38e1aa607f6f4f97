"""Run commands with plugin code in a process of their own, which can be limited and killed."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Pipe
from typing import Any, TypeVar

import click

from ..base.child_process import TICK_S, how_ended
from ..base.errors import PluginError
from ..base.last_watch import unwatch, watch
from ..base.process_tree import adopt, end_group, end_tree, follow, memory_mb_of
from ..base.spawning import inherited_pipe, start
from ..base.temporary_folders import remove_left, temporary_of_this_process

F = TypeVar("F", bound=Callable[..., Any])
# Environment variable with the descriptor that the process writes to when the command has finished.
# The parent holds the other end; once that is closed, the process ends.
DONE = "LOGBENCH_DONE"
LIMITS = ("timeout", "memory_limit")


def apart(function: F) -> F:
    """Make a command's function run in a new process with the same arguments.

    A plugin that kills that process, or exceeds `--timeout` or `--memory-limit` (see
    `shared_options.limit_options` and `memory_option`), becomes an error of one line. With lines on standard input
    the function runs here, without limits.
    """

    @functools.wraps(function)
    def command(*arguments: Any, **options: Any) -> Any:
        limited = "memory_limit" in options
        timeout, memory_mb = (options.pop(name) for name in LIMITS) if limited else (None, None)
        memory_mb = options.pop("memory_mb", memory_mb)
        given = os.environ.pop(DONE, None)
        if str(options.get("data")) == "-":
            if memory_mb is not None:
                raise click.UsageError("--memory-limit needs a file or folder as --data")
            return function(*arguments, **options)
        if given is None:
            return _run(timeout, memory_mb)
        parent = inherited_pipe(int(given))
        adopt()
        follow(parent.recv_bytes, temporary_of_this_process)
        try:
            return function(*arguments, **options)
        finally:
            try:
                sys.stdout.flush()  # whoever read it may have gone
            finally:
                parent.send_bytes(b"1")

    return command  # type: ignore[return-value]


def _run(timeout: float | None, memory_mb: float | None) -> int:
    remove_left()
    ours, theirs = Pipe()
    sys.stdout.flush()
    # By -m Python would first look for modules in the current folder, where a log may lie beside a random.py.
    code = f"import sys; sys.path[:] = {sys.path!r}; from logbench.cli import main; main()"
    process = start(
        [sys.executable, "-c", code, *sys.argv[1:]],
        theirs.fileno(),
        env={**os.environ, DONE: str(theirs.fileno())},
        leads=True,
        stdout=sys.stdout.fileno(),
    )
    theirs.close()
    watch(process.pid)
    begun = time.monotonic()
    try:
        while True:
            try:
                process.wait(TICK_S)
                break
            except subprocess.TimeoutExpired:
                _check(process.pid, begun, timeout, memory_mb)
    finally:
        end_tree(process.pid)
        end_group(process.pid)  # a process that ended by itself may leave its group
        unwatch(process.pid)
        process.wait()
        done = _read(ours)
        remove_left()
    if not done:
        raise PluginError(f"{how_ended(process.returncode)} before the command had finished")
    return process.returncode


def _read(ours: Any) -> bytes:
    with ours, suppress(OSError, EOFError):
        return bytes(ours.recv_bytes()) if ours.poll() else b""
    return b""


def _check(pid: int, begun: float, timeout: float | None, memory_mb: float | None) -> None:
    if timeout is not None and time.monotonic() - begun > timeout:
        raise PluginError(f"took longer than --timeout {timeout:g} s")
    if memory_mb is not None and (taken := memory_mb_of(pid)) > memory_mb:
        raise PluginError(f"took {taken:,.0f} MB, more than --memory-limit {memory_mb:,.0f} MB")
