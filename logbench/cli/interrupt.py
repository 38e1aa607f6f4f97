"""Ctrl-C ends the command in under a second, also where a library swallows the interruption or is slow to hear it.

Whatever is cached or recorded is written whole or not at all, so that leaving at once harms nothing.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType

GRACE_S = 0.7
CODE = 130
MESSAGE = "interrupted: what was finished is kept"


def install() -> None:
    """Make Ctrl-C raise KeyboardInterrupt as usual, and end the process after `GRACE_S` if it still runs."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    timer = threading.Timer(GRACE_S, _leave)
    timer.daemon = True
    timer.start()
    raise KeyboardInterrupt


def _leave() -> None:
    print(MESSAGE, file=sys.stderr, flush=True)
    os._exit(CODE)
