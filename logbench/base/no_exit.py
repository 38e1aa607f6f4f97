"""Keep plugin code from ending this process: what would end it raises an exception while it runs."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any, NoReturn

# The module that `os` takes its functions from.
_NATIVE = sys.modules.get("posix") or sys.modules.get("nt") or os
# Functions that end the process, or put another program in its place.
ENDING = ("_exit", "abort", "execv", "execve")


@contextmanager
def no_exit() -> Iterator[None]:
    """Make `os._exit(code)` and the like raise `SystemExit`, as `sys.exit(code)` does; the caller can go on.

    So does a signal that this process sends to itself. Native code and other processes are not held.
    """

    def refuse(*given: object) -> NoReturn:
        raise SystemExit(given[0] if given and isinstance(given[0], int) else 1)

    def spare(send: Callable[..., Any]) -> Callable[..., Any]:
        def kill(pid: int, number: int) -> Any:
            if number and pid in (0, -1, os.getpid()):
                refuse(128 + number)
            return send(pid, number)

        return kill

    with ExitStack() as changed:
        for module in {id(one): one for one in (os, _NATIVE)}.values():
            for name in ENDING:
                _replace(changed, module, name, refuse)
            _replace(changed, module, "kill", spare(os.kill))
        _replace(changed, signal, "raise_signal", refuse)
        yield


def _replace(changed: ExitStack, module: ModuleType, name: str, function: Callable[..., Any]) -> None:
    if hasattr(module, name):
        changed.callback(setattr, module, name, getattr(module, name))
        setattr(module, name, function)
