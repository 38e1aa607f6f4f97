"""End the command within a second of Ctrl-C or a signal, even if a library ignores it.

All files of the cache and of records are written atomically, so an immediate exit harms nothing.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from ..base import INTERRUPTED
from ..base.stopped import let_go

_exit = os._exit  # plugin code may find a replacement, see `no_exit`
# Id of the process that handles signals.
_own = [0]
GRACE_S = 0.7
# Signals that end the command as Ctrl-C does.
OTHERS = ("SIGTERM", "SIGHUP")
MESSAGE = "interrupted: what was finished is kept"


class Interrupted(KeyboardInterrupt):
    """A signal told the command to end.

    Attributes:
        code: exit status.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.code = 128 + number


def install() -> None:
    """Make Ctrl-C and similar signals raise `Interrupted`, and exit after `GRACE_S` if the process still runs."""
    if threading.current_thread() is not threading.main_thread():
        return
    _own[:] = [os.getpid()]
    signal.signal(signal.SIGINT, _interrupt)
    for name in OTHERS:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # `nohup` lets one be ignored
            signal.signal(number, _interrupt)


def code_of(error: BaseException) -> int:
    """Exit status after an interruption, also if click replaced our exception by its own."""
    cause = error if isinstance(error, Interrupted) else error.__context__
    return cause.code if isinstance(cause, Interrupted) else INTERRUPTED


@contextmanager
def first(message: str, also: Sequence[str] = ()) -> Iterator[Callable[[], bool]]:
    """Let work finish after a first Ctrl-C; a second one ends the command as usual.

    Yields a function that tells whether Ctrl-C was pressed.

    Args:
        message: printed at the first Ctrl-C.
        also: names of other signals that end work in the same way, such as `SIGTERM`.
    """
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed.is_set
        return

    def press(number: int, frame: FrameType | None) -> None:
        pressed.set()
        restore()
        print(message, file=sys.stderr, flush=True)

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    numbers = [getattr(signal, name) for name in ("SIGINT", *also) if hasattr(signal, name)]
    before = {number: signal.signal(number, press) for number in numbers}
    try:
        yield pressed.is_set
    finally:
        restore()


def _interrupt(number: int, frame: FrameType | None) -> None:
    if os.getpid() != _own[-1]:  # this is a copy of the process, forked by a plugin
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
