"""Processes that this one has stopped but not yet killed."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

# Process ids, see `process_tree.end_tree`.
STOPPED: set[int] = set()


def let_go() -> None:
    """Resume them if this process must exit before it kills them; they end when they see that it is gone."""
    for pid in [*STOPPED]:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGCONT)
