"""Load a file of the user's own as a module, once and anew where it has changed."""

from __future__ import annotations

import contextlib
import importlib.util
import pkgutil
import re
import sys
import time
import traceback
from pathlib import Path
from types import ModuleType

from ..base.code_digests import loaded
from ..base.code_files import located
from ..base.compiled_files import remove_stale
from ..base.errors import ConfigError
from ..base.installed_files import short
from ..base.no_exit import no_exit
from ..base.regular_files import open_regular

# File → when it changed and its size, and the module as it was then.
_LOADED: dict[Path, tuple[tuple[int, int], ModuleType]] = {}


def module_of_file(file: Path, typed: str) -> ModuleType:
    """The module, loaded anew where the file has changed.

    Raises:
        ConfigError: it is missing, or what it raises, with its line.
    """
    path = file.absolute()
    try:
        stamp = path.stat().st_mtime_ns, path.stat().st_size
        open_regular(path).close()
    except OSError as error:
        raise ConfigError(f"{typed}: {error.strerror}") from None
    if path in _LOADED and _LOADED[path][0] == stamp:
        return _LOADED[path][1]
    make_importable(path)
    remove_stale([path])
    name = _name_of_module(path)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    begun, before = time.time_ns(), sys.modules.get(name)
    sys.modules[name] = module  # dataclasses and pickle look for it there
    try:
        with no_exit(), contextlib.redirect_stdout(sys.stderr):
            spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        sys.modules.pop(name, None)
        if before is not None:
            sys.modules[name] = before
        raise ConfigError(f"{typed}: {_told(error, path)}") from error
    loaded(module, begun)
    _LOADED[path] = stamp, module
    return module


def _name_of_module(path: Path) -> str:
    """The file's stem, as for a script beside it; where that is another module's name, one of its own."""
    stem = path.stem if path.stem.isidentifier() else re.sub(r"\W", "_", f"_{path.stem}")
    there, found = sys.modules.get(stem), located(stem)
    if there is not None and getattr(there, "__file__", None) != str(path):
        return f"{stem}_{short([str(path)])}"
    return stem if found is None or found.path == path else f"{stem}_{short([str(path)])}"


def _told(error: BaseException, path: Path) -> str:
    """An error of a file in one line, with the last line of the file that took part."""
    line = next(
        (f.lineno for f in reversed(traceback.extract_tb(error.__traceback__)) if f.filename == str(path)), 0
    )
    said = str(error)
    if isinstance(error, SyntaxError) and error.filename == str(path):
        line, said = error.lineno or 0, error.msg
    what = " ".join(f"{type(error).__name__}: {said}".split()).removesuffix(":")
    return f"line {line}: {what}" if line else what


def make_importable(file: Path) -> None:
    """Let a file import what lies beside it; what is installed goes first."""
    if (folder := str(file.absolute().parent)) not in sys.path:
        sys.path.append(folder)
        pkgutil.get_importer(folder)  # now known as a folder of modules, whatever is imported first
