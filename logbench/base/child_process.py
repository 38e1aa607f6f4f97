"""Python processes of our own that can be watched and ended: started afresh, never forked (polars has threads).

A worker leads a process group of its own, so that Ctrl-C reaches only the command; the processes that it starts
stay in that group, and all of it ends when the command does, however that happens.
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

from .process_tree import end_tree, memory_mb_of

# How often a waiting parent looks at time and memory.
TICK_S = 0.2
# How long the rest of a message is waited for.
HALF_S = 30
# How long a process that closed its pipe is waited for.
CLOSED_S = 5.0


@dataclass(frozen=True)
class Limits:
    """What one run may take.

    Attributes:
        timeout: most seconds to fit and score; reading and parsing are not counted.
        memory_mb: most resident memory of a process and all that it started.
    """

    timeout: float | None = None
    memory_mb: float | None = None


class Child:
    """A process that serves a pipe.

    Args:
        target: `module:function`, called as `function(descriptor, *arguments)`.
        arguments: values whose `repr` is Python code.
        env: added to the environment, where the user has not set it.
        leads: it leads a process group; else it stays in its parent's.

    Attributes:
        pipe: our end.
    """

    def __init__(
        self, target: str, *arguments: Any, env: Mapping[str, str] | None = None, leads: bool = False
    ) -> None:
        self._leads = leads
        module, _, function = target.partition(":")
        self.pipe, theirs = Pipe()
        with socket.socket(fileno=os.dup(self.pipe.fileno())) as ours:  # half a message must not stop us
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", HALF_S, 0))
        with theirs:
            call = f"{function}({', '.join(map(repr, (theirs.fileno(), *arguments)))})"
            code = f"import sys; sys.path[:] = {sys.path!r}; from {module} import {function}; {call}"
            self.process = subprocess.Popen(
                [sys.executable, "-c", code],
                env={**(env or {}), **os.environ},
                stdin=subprocess.DEVNULL,
                stdout=2,  # what a plugin prints must not stand among the results
                pass_fds=[theirs.fileno()],
                process_group=0 if leads else None,
            )

    @property
    def ended(self) -> bool:
        """Whether the process is gone."""
        return self.process.poll() is not None

    def how(self) -> str:
        """How the process ended, in words; one that closed its pipe, or sent half a message, is ended."""
        try:
            return how_ended(self.process.wait(CLOSED_S))
        except subprocess.TimeoutExpired:
            self.kill()
            return "its process closed its pipe, and was ended"

    def memory_mb(self) -> float:
        """Resident memory of the process and of all that it started, MB; 0 once it is gone."""
        return memory_mb_of(self.process.pid)

    def kill(self) -> None:
        """End the process, and all that it started, at once."""
        end_tree(self.process.pid)
        if self._leads:  # where it ended by itself, its group is left
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.pipe.close()


def how_ended(code: int) -> str:
    """How a process ended, in words, by its return code."""
    if code >= 0:
        return f"its process ended with code {code}"
    guess = " (out of memory?)" if -code == signal.SIGKILL else f" ({signal.Signals(-code).name})"
    return f"killed by signal {-code}{guess}"


def serving(descriptor: int) -> Connection:
    """The child's end of the pipe."""
    os.set_inheritable(descriptor, False)
    return Connection(descriptor)
