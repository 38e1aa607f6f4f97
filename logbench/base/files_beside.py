"""Find files that a plugin may read: those beside its code that its string literals name."""

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
    """More files than are worth reading to digest code."""


@dataclass
class Allowance:
    """How much may be read outside of a package's own folder, because a folder of logs is no code.

    Attributes:
        entries: files and folders to list.
        files: files to read.
        bytes: bytes to read.
    """

    entries: int = 50_000
    files: int = 1_000
    bytes: int = 1 << 30

    def look(self, entries: int) -> None:
        """Count listed entries; raise TooMuchError beyond the allowance."""
        self.entries -= entries
        if self.entries < 0:
            raise TooMuchError

    def take(self, file: Path) -> Path:
        """Count and return a file; raise TooMuchError beyond the allowance."""
        self.files -= 1
        self.bytes -= file.stat().st_size
        if self.files < 0 or self.bytes < 0:
            raise TooMuchError
        return file


def beside(module: Path, tree: ast.AST) -> dict[str, Path]:
    """Files in a single module's folder that its string literals name, such as a table, by relative name.

    If the module uses its own path (`__file__`, `__spec__`, `importlib.resources`, `pkgutil`), a literal may also
    be a folder, a pattern or a suffix (`.json`, as in `with_suffix` or `f"{name}.json"`). All files that match
    count, because only a run shows which of them is read.

    Raises:
        TooMuchError: more files match than an `Allowance`.
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
    """Files that a literal may name: itself, and if `places` files in that folder or matching that pattern."""
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
    """Whether a path is a folder but no package; packages count when they are imported."""
    try:
        return path.is_dir() and not (path / "__init__.py").exists()
    except (OSError, ValueError):
        return False


def is_file(path: Path) -> bool:
    """Whether a path is a file; False for texts that cannot be paths."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _like(folder: Path, pattern: str, left: Allowance) -> Iterator[Path]:
    """Files that match a pattern; below `**`, all files that match its last part."""
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
    """Every file in and below a folder, also through links, except compiled files and hidden folders.

    Raises:
        TooMuchError: more entries, or more files outside the folder, than `left`.
    """
    home, visited = Path(os.path.realpath(folder)), set[str]()
    for inside, folders, files in os.walk(folder, followlinks=True):
        if (real := os.path.realpath(inside)) in visited:  # a link that leads back
            folders.clear()
            continue
        visited.add(real)
        left.look(len(folders) + len(files))
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__pycache__")
        linked = not Path(real).is_relative_to(home)
        for file in (Path(inside, name) for name in sorted(files)):
            if file.suffix != ".pyc" and file.is_file():
                yield left.take(file) if linked else file
