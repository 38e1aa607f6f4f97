"""Processes that this one stopped, and has not ended yet."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

# Their ids: see `process_tree.end_tree`.
STOPPED: set[int] = set()


def let_go() -> None:
    """Let them go on, where this process must leave before it ends them: they see that it is gone, and end."""
    for pid in [*STOPPED]:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGCONT)
