"""The code of plugins and of logbench itself, as it was loaded, in digests that change with any edit."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from . import code_files
from .code_files import Parts, Root, closure, files_of, located, short
from .compiled_files import remove_stale
from .file_digests import digest
from .files import digests_file

CORE = Path(__file__).parents[1]
# Module → when it was about to be loaded, in ns: a file that changed later may not be what runs.
_LOADED: WeakKeyDictionary[ModuleType, int] = WeakKeyDictionary()
_KNOWN: WeakKeyDictionary[ModuleType, dict[str, Code]] = WeakKeyDictionary()
_STARTED = time.time_ns()

Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Code:
    """Code as it was found on disk.

    Attributes:
        files: 12 hex digits over the files. libraries: 12 over the names, versions and listed files of what other
            distributions installed and it imports.
        stamps: size and times of each file when it was read.
        settled: no file changed after the code was loaded, as far as times tell, and none was loaded from a
            compiled file of other text.
        gap: why there may be more code than was found; empty where that is all.
    """

    files: str
    libraries: str
    stamps: Mapping[Path, Stamp]
    settled: bool
    gap: str = ""

    @property
    def edited(self) -> bool:
        """Whether what runs may be other code than what the digest is of: a file changed since it was loaded."""
        if not self.settled:
            return True
        return any(_stamp(path) != stamp for path, stamp in self.stamps.items())


def loaded(module: ModuleType, when: int) -> None:
    """Say when (in ns) a plugin's module was about to be loaded; only the first time counts."""
    _LOADED.setdefault(module, when)


@cache
def core() -> Code:
    """The code of logbench itself."""
    return _made(Parts(files_of(CORE)), _STARTED)


def module_of(found: Any) -> ModuleType | None:
    """A module itself, or the one that something is defined in."""
    return found if isinstance(found, ModuleType) else sys.modules.get(getattr(found, "__module__", None) or "")


def code_of(plugin: Any, distribution: str = "") -> Code | None:
    """The code of a plugin, as it is when this is first asked for in a process: None where it has no file.

    Args:
        plugin: its module, or something defined in it. distribution: whose files are its own wherever they lie.
    """
    module = module_of(plugin)
    if module is None or not Path(getattr(module, "__file__", None) or "").is_file():
        return None
    if module.__name__.partition(".")[0] == code_files.CORE:
        return core()
    known = _KNOWN.setdefault(module, {})
    if distribution not in known:
        parts = closure(_start(module), distribution)
        known[distribution] = _made(parts, _LOADED.setdefault(module, time.time_ns()))
    return known[distribution]


def _start(module: ModuleType) -> Root:
    file = Path(str(module.__file__))
    found = located(module.__name__)
    if found is not None and file.is_relative_to(found.path):
        return found
    return Root(module.__name__, file.parent if hasattr(module, "__path__") else file)


def _made(parts: Parts, loaded: int) -> Code:
    stamps = {path: _stamp(path) for path in parts.files.values()}
    told = (f"{name} {_hashed(path)}" for name, path in sorted(parts.files.items()))
    needed = (f"{name} {said}" for name, said in sorted(parts.libraries.items()))
    settled = all(_changed(path) <= loaded for path in stamps) and not remove_stale(stamps)
    return Code(short(told), short(needed), stamps, settled, parts.gap)


def _hashed(path: Path) -> str:
    try:
        return digest(path, digests_file())
    except OSError:
        return "unreadable"


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return (-1, -1, -1)
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _changed(path: Path) -> int:
    """When a file last changed, in ns: by ctime, which cannot be put back, where the system has one."""
    return _stamp(path)[1 if os.name == "nt" else 2]
