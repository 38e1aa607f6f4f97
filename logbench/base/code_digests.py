"""Digest the loaded code of plugins and of logbench, so that any edit shows."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from . import code_files
from .cell_digests import cells_of, has_file
from .code_files import Parts, Root, closure, files_of, located
from .compiled_files import remove_stale
from .file_digests import SMALL, digest
from .files import digests_file
from .installed_files import short

CORE = Path(__file__).parents[1]
# Module → time of loading, ns. A file that changed later may not be the code that runs.
_LOADED: WeakKeyDictionary[ModuleType, int] = WeakKeyDictionary()
_KNOWN: WeakKeyDictionary[ModuleType, dict[str, Code]] = WeakKeyDictionary()
_STARTED = time.time_ns()

Stamp = tuple[int, int, int]
# A module's name and file, and the distribution that it is looked at for.
Asked = tuple[str, str, str]
_CORE: Asked = (code_files.CORE, str(CORE), "")
# What another process of this command found.
_TOLD: dict[Asked, Code] = {}


@dataclass(frozen=True)
class Code:
    """Code on disk.

    Attributes:
        files: 12 hex digits over the files.
        libraries: 12 hex digits over names, versions and listed files of the imported distributions.
        stamps: size and times of each file when it was read.
        settled: by its time stamps no file changed after loading, and none was loaded from an outdated
            compiled file.
        gap: why more code may exist; empty if the list is complete.
        stale: an outdated compiled file was there; it is removed, so that nobody sees it a second time.
    """

    files: str
    libraries: str
    stamps: Mapping[Path, Stamp]
    settled: bool
    gap: str = ""
    stale: bool = False

    @property
    def edited(self) -> bool:
        """Whether the running code may differ from the digest, because a file changed since it was loaded."""
        if not self.settled:
            return True
        return any(_stamp(path) != stamp for path, stamp in self.stamps.items())


def loaded(module: ModuleType, when: int) -> None:
    """Record when (ns) a plugin's module was loaded; only the first call counts."""
    _LOADED.setdefault(module, when)


def known() -> dict[Asked, Code]:
    """What this process has found out, for `learn` of another one."""
    found = {_asked(module, name): code for module, codes in _KNOWN.items() for name, code in codes.items()}
    return {**found, _CORE: core()} if core.cache_info().currsize else found


def learn(codes: Mapping[Asked, Code]) -> None:
    """Take over what another process has just found out, where files are still as they were."""
    _TOLD.update(codes)


def _asked(module: ModuleType, distribution: str) -> Asked:
    return module.__name__, str(module.__file__), distribution


def _told(asked: Asked, loaded: int) -> Code | None:
    """What another process found; None where it does not hold for what was loaded here at that time."""
    code = _TOLD.get(asked)
    if code is None or code.stale:
        return code
    return None if code.edited or any(_changed(path) > loaded for path in code.stamps) else code


@cache
def core() -> Code:
    """The code of logbench itself."""
    if told := _told(_CORE, _STARTED):
        return told
    files = files_of(CORE)
    files.pop("base/kernel.library", None)  # differs by compiler, and its source is among them
    return _made(Parts(files), _STARTED)


def module_of(found: Any) -> ModuleType | None:
    """A module itself, or the module that defines an object."""
    return found if isinstance(found, ModuleType) else sys.modules.get(getattr(found, "__module__", None) or "")


def code_of(plugin: Any, distribution: str = "") -> Code | None:
    """The code of a plugin at the first call in a process; of a class of a notebook, its cells as they are.

    None if it has neither file nor cells.

    Args:
        plugin: its module, or an object defined in it.
        distribution: its distribution, whose files count as its own wherever they lie.
    """
    if getattr(plugin, "__module__", None) == "__main__" and not has_file(plugin):
        return _of_cells(plugin)
    module = module_of(plugin)
    if module is None or not Path(getattr(module, "__file__", None) or "").is_file():
        return None
    if module.__name__.partition(".")[0] == code_files.CORE:
        return core()
    codes, since = _KNOWN.setdefault(module, {}), _LOADED.setdefault(module, time.time_ns())
    if distribution not in codes:
        told = _told(_asked(module, distribution), since)
        codes[distribution] = told or _made(closure(_start(module), distribution), since)
    return codes[distribution]


def _of_cells(thing: Any) -> Code:
    found = cells_of(thing)
    code = _made(found.parts, _STARTED)  # when they loaded what is beside them is not known
    return replace(code, files=short([*sorted(found.texts), code.files]))


def _start(module: ModuleType) -> Root:
    """The package or module of a plugin; a file counts by its name, whatever its module is called."""
    file = Path(str(module.__file__))
    found = located(module.__name__)
    if found is not None and file.is_relative_to(found.path) and (found.path.is_dir() or "." in found.name):
        return found
    return Root(module.__name__, file.parent) if hasattr(module, "__path__") else Root(file.stem, file)


def _made(parts: Parts, loaded: int) -> Code:
    stamps = {path: _stamp(path) for path in parts.files.values()}
    own = (f"{name} {_hashed(path)}" for name, path in sorted(parts.files.items()))
    needed = (f"{name} {version}" for name, version in sorted(parts.libraries.items()))
    stale = remove_stale(stamps)
    settled = not stale and all(_changed(path) <= loaded for path in stamps)
    return Code(short(own), short(needed), stamps, settled, parts.gap, stale)


def _hashed(path: Path) -> str:
    try:
        if path.stat().st_size > SMALL:
            return digest(path, digests_file())
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return "unreadable"


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except OSError:
        return (-1, -1, -1)
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _changed(path: Path) -> int:
    """When a file last changed, ns: ctime if the system has one, because ctime cannot be set back."""
    return _stamp(path)[1 if os.name == "nt" else 2]
