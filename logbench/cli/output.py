"""Keep standard output for the command itself, whatever plugins print or leave running."""

from __future__ import annotations

import io
import os
import sys
import threading

from ..base.terminal import show_all, shown

GRACE_S = 3.0


def reopen() -> None:
    """Point standard streams that the caller closed (`>&-`) to nowhere, so that no file gets their descriptor."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_WRONLY if number else os.O_RDONLY)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            # Whoever replaces the stream must not close the descriptor with it.
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False))


def take() -> None:
    """Reserve standard output for this command's own `print`s; other writes to descriptor 1 go to standard error.

    So prints of C libraries and child processes never mix with the records of `--json`. Both show any text, see
    `terminal`. Does nothing if Python's standard output is not descriptor 1, as in a notebook.
    """
    try:
        if sys.stdout.fileno() != 1:
            return
        own = os.dup(1)
        os.dup2(2, 1)
    except (AttributeError, OSError, io.UnsupportedOperation):
        return
    sys.stdout = shown(own, sys.stdout)
    show_all()


def leave_threads(code: int) -> None:
    """Exit with `code` after `GRACE_S` even if a plugin left threads running."""
    if any(t is not threading.main_thread() and not t.daemon for t in threading.enumerate()):
        threading.Thread(target=_end, args=(code,), daemon=True).start()


def _end(code: int) -> None:
    threading.main_thread().join()
    others = [t for t in threading.enumerate() if t is not threading.main_thread() and not t.daemon]
    for thread in others:
        thread.join(GRACE_S)
    if left := [thread.name for thread in others if thread.is_alive()]:
        print(f"not waiting for threads of a plugin: {', '.join(left)}", file=sys.stderr, flush=True)
        sys.stdout.flush()
        os._exit(code)
