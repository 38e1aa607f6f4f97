"""Files beside a plugin's code that it may read, found by the texts in it, and files of folders."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

_ENDING = re.compile(r"\.\w+$")


class TooMuchError(Exception):
    """More files than are worth reading to tell code by."""


@dataclass
class Allowance:
    """How much outside of a package's own folder is read to tell its code: a folder of logs is no code.

    Attributes:
        entries: files and folders looked at. files: those read. bytes: read of them.
    """

    entries: int = 50_000
    files: int = 1_000
    bytes: int = 1 << 30

    def look(self, entries: int) -> None:
        """Raises TooMuchError where no more may be looked at."""
        self.entries -= entries
        if self.entries < 0:
            raise TooMuchError

    def take(self, file: Path) -> Path:
        """`file`; raises TooMuchError where no more may be read."""
        self.files -= 1
        self.bytes -= file.stat().st_size
        if self.files < 0 or self.bytes < 0:
            raise TooMuchError
        return file


def beside(module: Path, tree: ast.AST) -> dict[str, Path]:
    """Files by name in the folder of a single module that a text in it names, such as a table that it reads.

    Where the module asks for its own place (`__file__`, `__spec__`, `importlib.resources`, `pkgutil`), a text may
    also be a folder there, a pattern, or an ending (`.json`, as of `with_suffix` or `f"{name}.json"`): all files
    that fit count, since which of them is read shows only when it runs.

    Raises:
        TooMuchError: more than an `Allowance` fits.
        OSError: a file or folder cannot be read.
    """
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    named = {text for text in texts if isinstance(text, str) and text.isprintable() and 0 < len(text) <= 200}
    places, left = _asks_where_it_is(tree), Allowance()
    found: dict[Path, None] = {}
    for text in sorted(named):
        if text[0] != "/":
            fitting = (file for file in _meant(module.parent, text, places, left) if file not in found)
            found.update((left.take(file), None) for file in fitting if file != module)
    return {Path(os.path.relpath(file, module.parent)).as_posix(): file for file in found}


def _asks_where_it_is(tree: ast.AST) -> bool:
    asked = {"__file__", "__spec__", "pkgutil", "importlib.resources", "resources"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in asked:
            return True
        if isinstance(node, ast.ImportFrom) and node.module in asked:
            return True
        if isinstance(node, ast.Import | ast.ImportFrom) and asked.intersection(one.name for one in node.names):
            return True
    return False


def _meant(folder: Path, text: str, places: bool, left: Allowance) -> Iterator[Path]:
    """Files that a text may name: itself, and where `places` those in it or like it."""
    file = folder / text
    if is_file(file):
        yield file
    elif places and _ENDING.match(text):
        yield from _like(folder, f"*{text}", left)
    elif places and "*" in text:
        yield from _like(folder, text, left)
    elif places and _is_data_folder(file) and not folder.resolve().is_relative_to(file.resolve()):
        yield from files_in(file, left)


def _is_data_folder(path: Path) -> bool:
    """Whether it is a folder and no package: these count where they are imported."""
    try:
        return path.is_dir() and not (path / "__init__.py").exists()
    except (OSError, ValueError):
        return False


def is_file(path: Path) -> bool:
    """Whether it is a file, where it may also be no name of any."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _like(folder: Path, pattern: str, left: Allowance) -> Iterator[Path]:
    """Files that fit a pattern; below `**` all files that fit its last part."""
    before, _, last = pattern.rpartition("/")
    if "**" in pattern.split("/"):
        yield from (file for file in files_in(folder, left) if last == "**" or fnmatch(file.name, last))
        return
    for inside in [folder] if not before else _folders(folder, before):
        there = sorted(inside.iterdir())
        left.look(len(there))
        yield from (file for file in there if fnmatch(file.name, last) and is_file(file))


def _folders(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(found for found in folder.glob(pattern) if found.is_dir())
    except (OSError, ValueError, NotImplementedError, IndexError):
        return []


def files_in(folder: Path, left: Allowance) -> Iterator[Path]:
    """Every file in and below a folder, along links, too, but those compiled and those in hidden folders.

    Raises:
        TooMuchError: `left` does not suffice for what lies outside the folder, or for all that is looked at.
    """
    home, met = Path(os.path.realpath(folder)), set[str]()
    for inside, folders, files in os.walk(folder, followlinks=True):
        if (real := os.path.realpath(inside)) in met:  # a link that leads back
            folders.clear()
            continue
        met.add(real)
        left.look(len(folders) + len(files))
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__pycache__")
        linked = not Path(real).is_relative_to(home)
        for file in (Path(inside, name) for name in sorted(files)):
            if file.suffix != ".pyc" and file.is_file():
                yield left.take(file) if linked else file
