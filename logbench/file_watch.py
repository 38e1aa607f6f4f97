"""Files that plugin code opens beside its own: a model that reads the data set's folder may read its labels."""

from __future__ import annotations

import functools
import os
import site
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl

SYSTEM = ("/usr", "/lib", "/lib64", "/etc", "/proc", "/sys", "/dev")
"""Folders of the system, which hold no data of a run."""
CODE = (".py", ".pyc", ".so", ".pyd")
"""Ends of files that are imported."""
STARTING = {"subprocess.Popen": 1, "os.system": 0, "os.exec": 1, "os.posix_spawn": 1, "os.spawn": 2}
"""Audit events of programs that are started, and which argument is the command."""
_watching: list[_Watch] = []
_hooked = False


class _Watch:
    def __init__(self, allowed: Sequence[str]) -> None:
        self.allowed = tuple(f"{folder.rstrip(os.sep)}{os.sep}" for folder in allowed)
        self.opened: list[str] = []
        self.made: set[str] = set()

    def see(self, path: Any) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return  # a descriptor that is open already
        if b"\0" in os.fsencode(path):
            return  # no path, but bytes to read
        file = os.path.realpath(os.fsdecode(path))
        if not os.path.lexists(file):
            self.made.add(file)  # what it makes itself says nothing
        own = file in self.made or file.endswith(CODE) or f"{file}{os.sep}".startswith(self.allowed)
        if not own and file not in self.opened:
            self.opened.append(file)

    def start(self, command: Any) -> None:
        words = command if isinstance(command, list | tuple) else [command]
        text = " ".join(os.fsdecode(word) for word in words if isinstance(word, str | bytes | os.PathLike))
        if not text.startswith(sys.executable):
            self.opened.append(f"(a program) {text}")


@contextmanager
def watched(allowed: Sequence[Path]) -> Iterator[list[str]]:
    """The files that Python opens while the body runs, outside of Python, the system and `allowed`.

    Programs that are started are among them. What native code opens is not seen, but for polars where
    `watch_polars` was called.

    Args:
        allowed: files and folders that the body may open, such as its own distribution's.
    """
    global _hooked  # noqa: PLW0603
    if not _hooked:
        sys.addaudithook(_audit)  # cannot be taken off again: it does nothing while no one watches
        _hooked = True
    watch = _Watch([*SYSTEM, *_python(), *(os.path.realpath(path) for path in allowed)])
    _watching.append(watch)
    try:
        yield watch.opened
    finally:
        _watching.remove(watch)


def package_of(loaded: Any) -> Path | None:
    """Folder of the package that a plugin is or belongs to; None for a single module.

    Args:
        loaded: the module, or something defined in it.
    """
    name = getattr(loaded, "__name__" if isinstance(loaded, ModuleType) else "__module__", "")
    top = sys.modules.get(str(name).partition(".")[0])
    file = getattr(top, "__file__", None)
    return Path(file).parent if file and hasattr(top, "__path__") else None


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watching:
        return
    for watch in _watching:
        if event in ("open", "sqlite3.connect"):
            watch.see(arguments[0])
        elif event in STARTING:
            watch.start(arguments[STARTING[event]])


def watch_polars() -> None:
    """Let the readers of polars be seen in this process, too: they open files in native code."""
    for name in dir(pl):
        if name.startswith(("read_", "scan_")):
            setattr(pl, name, _seen(getattr(pl, name)))


def _seen(reader: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(reader)
    def read(*arguments: Any, **options: Any) -> Any:
        for source in (*arguments[:1], options.get("source")):
            for one in source if isinstance(source, list | tuple) else [source]:
                for watch in _watching:
                    watch.see(one)
        return reader(*arguments, **options)

    return read


def _python() -> list[str]:
    """Folders of the interpreter and of installed packages."""
    found = {sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), *site.getsitepackages()}
    return [os.path.realpath(path) for path in found]
