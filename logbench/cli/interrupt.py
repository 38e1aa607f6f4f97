"""Ctrl-C, or a signal to end, ends the command in under a second, whatever a library does with it.

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

from ..base.stopped import let_go

_exit = os._exit  # plugin code may find another one, see `no_exit`
# The process in which signals are handled.
_own = [0]
GRACE_S = 0.7
# Exit status after Ctrl-C: 128 and the signal's number, as shells have it.
CODE = 130
# Signals that end the command as Ctrl-C does.
OTHERS = ("SIGTERM", "SIGHUP")
MESSAGE = "interrupted: what was finished is kept"


class Interrupted(KeyboardInterrupt):
    """A signal asks the command to end.

    Attributes:
        code: exit status.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.code = 128 + number


def install() -> None:
    """Make Ctrl-C and signals to end raise, and end the process after `GRACE_S` if it still runs."""
    if threading.current_thread() is not threading.main_thread():
        return
    _own[:] = [os.getpid()]
    signal.signal(signal.SIGINT, _interrupt)
    for name in OTHERS:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # `nohup` lets one be ignored
            signal.signal(number, _interrupt)


def code_of(error: BaseException) -> int:
    """The exit status after an interruption; click may have put its own in the place of ours."""
    cause = error if isinstance(error, Interrupted) else error.__context__
    return cause.code if isinstance(cause, Interrupted) else CODE


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
    if os.getpid() != _own[-1]:  # a copy of this process that a plugin forked
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    timer = threading.Timer(GRACE_S, _leave, [128 + number])
    timer.daemon = True
    timer.start()
    raise Interrupted(number)


def _leave(code: int) -> None:
    print(MESSAGE, file=sys.stderr, flush=True)
    let_go()
    _exit(code)
