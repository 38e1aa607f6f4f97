"""Files that plugin code opens beside its own: a model that reads the data set's folder may read its labels."""

from __future__ import annotations

import functools
import os
import re
import site
import sys
import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl

SYSTEM = ("/usr", "/lib", "/lib64", "/etc", "/proc", "/sys", "/dev")
"""Folders of the system, which hold no data of a run."""
OTHERS = re.compile(r"/proc/\d+/|/dev/shm/")
"""Memory of other processes, and what they share, which may hold some."""
CODE = (".py", ".pyc", ".so", ".pyd")
"""Ends of files that are imported."""
STARTING = {"subprocess.Popen": 1, "os.system": 0, "os.exec": 1, "os.posix_spawn": 1, "os.spawn": 2}
"""Audit events of programs that are started, and which argument is the command."""
INSTALLED = re.compile(r"/(site|dist)-packages/|\.(dist|egg)-info/")
"""Where installed distributions are, also those of an environment below this one."""
NAMING = ("os.link", "os.rename")
"""Audit events that give a file another name, or one more."""
_watching: list[Watch] = []


class Watch:
    """Files that Python opens in this process from now on, outside of Python and the system.

    Programs that are started are among them. What native code opens is not seen, but for polars where
    `watch_polars` was called.
    """

    def __init__(self) -> None:
        self._system = _within([*SYSTEM, *_python()])
        self._own = _within([f"/proc/{os.getpid()}"])
        self._opened: dict[str, None] = {}
        self._made: set[str] = set()
        _hook()
        _watching.append(self)

    def take(self, allowed: Sequence[Path]) -> list[str]:
        """What was opened since it was last asked for, but for these files and folders, such as a model's own."""
        folders = _within([os.path.realpath(path) for path in allowed])
        found = [file for file in self._opened if not f"{file}{os.sep}".startswith(folders)]
        self._opened = {}
        return found

    def end(self) -> None:
        """Watch no longer."""
        _watching.remove(self)

    def see(self, event: str, arguments: Sequence[Any]) -> None:
        """Note what an audit event tells."""
        if event in ("open", "sqlite3.connect"):
            self.see_file(arguments[0])
        elif event in NAMING:
            self.see_file(arguments[0])
            self._made.add(os.path.realpath(os.fsdecode(arguments[1])))
        elif event in STARTING:
            self._see_program(arguments[STARTING[event]])

    def see_file(self, path: Any) -> None:
        """Note that a file is opened."""
        if not isinstance(path, str | bytes | os.PathLike):
            return  # a descriptor that is open already
        if b"\0" in os.fsencode(path):
            return  # no path, but bytes to read
        file = os.path.realpath(os.fsdecode(path))
        if not os.path.lexists(file):
            self._made.add(file)  # what it makes itself says nothing
        within = f"{file}{os.sep}"
        system = (within.startswith(self._system) and not OTHERS.match(within)) or INSTALLED.search(within)
        if not (system or within.startswith(self._own) or file in self._made or file.endswith(CODE)):
            self._opened[file] = None

    def _see_program(self, command: Any) -> None:
        words = command if isinstance(command, list | tuple) else [command]
        text = " ".join(os.fsdecode(word) for word in words if isinstance(word, str | bytes | os.PathLike))
        if not text.startswith(sys.executable):
            self._opened[f"(a program) {text}"] = None


@functools.cache
def _hook() -> None:
    """Once a process: a hook cannot be taken off again, and does nothing while no one watches."""

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        for watch in _watching:
            watch.see(event, arguments)

    sys.addaudithook(audit)


def _within(folders: Sequence[str]) -> tuple[str, ...]:
    """How paths of these files and folders, and of all in them, begin once they end with a separator."""
    return tuple(f"{folder.rstrip(os.sep)}{os.sep}" for folder in folders)


def package_of(loaded: Any) -> Path | None:
    """Folder of the package that a plugin is or belongs to; None for a single module.

    Args:
        loaded: the module, or something defined in it.
    """
    name = getattr(loaded, "__name__" if isinstance(loaded, ModuleType) else "__module__", "")
    top = sys.modules.get(str(name).partition(".")[0])
    file = getattr(top, "__file__", None)
    return Path(file).parent if file and hasattr(top, "__path__") else None


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
                    watch.see_file(one)
        return reader(*arguments, **options)

    return read


def _python() -> list[str]:
    """Folders of the interpreter and of installed packages."""
    found = {sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), *site.getsitepackages()}
    return [os.path.realpath(path) for path in found]
