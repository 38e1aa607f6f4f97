"""Files that plugin code opens beside its own: a model that reads the data set's folder may read its labels."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

SYSTEM = ("/usr", "/lib", "/lib64", "/etc", "/proc", "/sys", "/dev")
"""Folders of the system, which hold no data of a run."""
CODE = (".py", ".pyc", ".so", ".pyd")
"""Ends of files that are imported."""
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
        file = os.path.realpath(os.fsdecode(path))
        if not os.path.lexists(file):
            self.made.add(file)  # what it makes itself says nothing
        own = file in self.made or file.endswith(CODE) or f"{file}{os.sep}".startswith(self.allowed)
        if not own and file not in self.opened:
            self.opened.append(file)


@contextmanager
def watched(allowed: Sequence[Path]) -> Iterator[list[str]]:
    """The files that Python opens while the body runs, outside of Python, the system and `allowed`.

    What native code opens is not seen.

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
    if event == "open" and _watching:
        for watch in _watching:
            watch.see(arguments[0])


def _python() -> list[str]:
    """Folders of the interpreter and of installed packages."""
    found = {sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), *site.getsitepackages()}
    return [os.path.realpath(path) for path in found]
