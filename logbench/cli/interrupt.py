"""Ctrl-C ends the command in under a second, also where a library swallows the interruption or is slow to hear it.

Whatever is cached or recorded is written whole or not at all, so that leaving at once harms nothing.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_exit = os._exit  # plugin code may find another one, see `no_exit`
GRACE_S = 0.7
CODE = 130
MESSAGE = "interrupted: what was finished is kept"


def install() -> None:
    """Make Ctrl-C raise KeyboardInterrupt as usual, and end the process after `GRACE_S` if it still runs."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, _interrupt)


@contextmanager
def first(told: str) -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed, so that work can be brought to its end; a second one ends the command as usual.

    Args:
        told: what is said at the first one.
    """
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed.is_set
        return

    def press(number: int, frame: FrameType | None) -> None:
        pressed.set()
        signal.signal(signal.SIGINT, before)
        print(told, file=sys.stderr, flush=True)

    before = signal.signal(signal.SIGINT, press)
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupt(number: int, frame: FrameType | None) -> None:
    timer = threading.Timer(GRACE_S, _leave)
    timer.daemon = True
    timer.start()
    raise KeyboardInterrupt


def _leave() -> None:
    print(MESSAGE, file=sys.stderr, flush=True)
    _exit(CODE)
