"""Start Python processes that can be killed. They are spawned, never forked, because polars is multi-threaded.

A worker leads its own process group, so that Ctrl-C reaches only the command. Processes that it starts stay in
that group, and the whole group ends with the command.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from typing import Any

from .jail import __name__ as jail_name
from .loading import __name__ as loading_name
from .spawning import inherited_pipe, start
from .terminal import show_all

# Seconds between a parent's checks of time and memory.
TICK_S = 0.2
# Seconds to wait for the rest of a message.
HALF_S = 30
# Seconds to wait for a process that closed its pipe.
CLOSED_S = 5.0


@dataclass(frozen=True)
class Limits:
    """Limits of one run.

    Attributes:
        timeout: most seconds to fit and score; reading and parsing do not count.
        memory_mb: most resident memory of a process and its descendants, MB.
    """

    timeout: float | None = None
    memory_mb: float | None = None


class Child:
    """A process that serves a pipe.

    Args:
        target: `module:function`, called as `function(descriptor, *arguments)`.
        arguments: values whose `repr` is Python code.
        env: environment variables to add; the user's own win.
        leads: make it the leader of a process group; else it stays in its parent's.
        jailed: take from it what `jail.VARIABLE` says, before anything else is loaded.

    Attributes:
        pipe: the parent's end.
    """

    def __init__(
        self,
        target: str,
        *arguments: Any,
        env: Mapping[str, str] | None = None,
        leads: bool = False,
        jailed: bool = False,
    ) -> None:
        self._leads = leads
        module, _, function = target.partition(":")
        self.pipe, theirs = Pipe()
        if sys.platform != "win32":
            with socket.socket(fileno=os.dup(self.pipe.fileno())) as ours:  # half a message must not stop us
                ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", HALF_S, 0))
        with theirs:
            call = f"{function}({', '.join(map(repr, (theirs.fileno(), *arguments)))})"
            jail = f"from {jail_name} import enter; enter(); " if jailed else ""
            code = (
                f"import sys; sys.path[:] = {sys.path!r}; {jail}from {loading_name} import loading\n"
                f"with loading(): from {module} import {function}\n{call}"
            )
            self.process = start(
                [sys.executable, "-c", code],
                theirs.fileno(),
                env={**(env or {}), **os.environ},
                leads=leads,
                stdin=subprocess.DEVNULL,
                stdout=2,  # what a plugin prints must not stand among the results
            )
        if leads:
            from .last_watch import watch  # it loads psutil, which takes longer than to start a process

            watch(self.process.pid)

    @property
    def ended(self) -> bool:
        """Whether the process has ended."""
        return self.process.poll() is not None

    def how(self) -> str:
        """Say how the process ended; kill one that closed its pipe or sent half a message."""
        try:
            return how_ended(self.process.wait(CLOSED_S))
        except subprocess.TimeoutExpired:
            self.kill()
            return "its process closed its pipe, and was ended"

    def memory_mb(self) -> float:
        """Resident memory of the process and its descendants, MB; 0 once it has ended."""
        from .process_tree import memory_mb_of

        return memory_mb_of(self.process.pid)

    def kill(self) -> None:
        """Kill the process and its descendants."""
        from .process_tree import end_group, end_tree

        end_tree(self.process.pid)
        if self._leads:  # a process that ended by itself may leave its group behind
            end_group(self.process.pid)
            from .last_watch import unwatch

            unwatch(self.process.pid)
        self.process.wait()
        self.pipe.close()


def how_ended(code: int) -> str:
    """Say how a process ended, by its return code."""
    if code >= 0:
        return f"its process ended with code {code}"
    with suppress(ValueError):  # signals of programs' own have no name
        name = signal.Signals(-code).name
        return f"killed by signal {-code} ({'out of memory?' if name == 'SIGKILL' else name})"
    return f"killed by signal {-code}"


def serving(descriptor: int) -> Connection:
    """The child's end of the pipe. What it prints from now on shows as text, see `terminal`."""
    show_all()
    return inherited_pipe(descriptor)
