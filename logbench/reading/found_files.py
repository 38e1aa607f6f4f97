"""What both finders share: which files a pattern names, and how a file is opened, however it is packed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import IO

from ..base.errors import DataError
from .archives import OPENERS, packing
from .parquet_rows import open_rows
from .tar_archives import is_tar

# Ends of the names of packed files, beside the name that is asked for.
SUFFIXES = ("", ".gz", ".zst", ".bz2", ".xz")


_ONLY_BELOW: ContextVar[bool] = ContextVar("only_below", default=False)


@contextlib.contextmanager
def only_below() -> Iterator[None]:
    """Refuse patterns that lead out of the folder they are looked up in: for those of a saved model."""
    token = _ONLY_BELOW.set(True)
    try:
        yield
    finally:
        _ONLY_BELOW.reset(token)


def check_below(pattern: str) -> None:
    """Refuse a pattern that leads out, where only files below a folder may be read.

    Raises:
        DataError: it is absolute or holds `..`.
    """
    path = Path(pattern)
    if _ONLY_BELOW.get() and (path.anchor or ".." in path.parts):
        raise DataError(f"{pattern[:200]}: the saved model reads files outside of --data; do not use it")


def check_path(path: Path) -> None:
    """Refuse a path that is neither a folder nor a regular file.

    Raises:
        DataError: it is missing, or a pipe or a device.
    """
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    if not path.is_dir() and not path.is_file():
        raise DataError(f"{path}: neither a regular file nor a folder; save the log to a file first")


def hits(folder: Path, pattern: str) -> list[Path]:
    """Files in a folder that a glob names, sorted; where there is none, packed ones of these names.

    Raises:
        DataError: it is no glob, or leads out, see `only_below`.
    """
    check_below(pattern)
    try:
        for suffix in SUFFIXES:
            if found := sorted(hit for hit in folder.glob(pattern + suffix) if hit.is_file()):
                return found
    except (ValueError, NotImplementedError, IndexError, AttributeError, RecursionError, OSError) as error:
        raise DataError(f"{pattern[:200]}: no pattern of file names: {error}"[:400]) from None
    return []


def fits(name: str, pattern: str) -> bool:
    """Whether a glob names the member `name` of an archive, in any folder of it; `**/` may be no folder at all."""
    bare = pattern.removeprefix("**/")
    return any(
        fnmatchcase(name, way) or fnmatchcase(name, f"*/{way}") for way in {bare, bare.replace("/**/", "/")}
    )


def some(names: Sequence[str] | Iterator[str], most: int = 5) -> str:
    """The first names by alphabet, and how many more there are."""
    known = sorted(names)
    more = f" and {len(known) - most} more" if len(known) > most else ""
    return (", ".join(known[:most]) or "nothing") + more


def opener(path: Path) -> tuple[str | None, Callable[[], IO[bytes]]]:
    """How a file on disk is packed (`gzip`, `bzip2`, `xz`, `zstd`, `parquet`, None), and what opens it unpacked.

    Raises:
        DataError: it is an archive, which holds more than one file, or is not packed as its name says.
    """
    packed = "tar" if is_tar(path) else packing(path)
    if packed in ("zip", "tar"):
        raise DataError(f"{path}: an archive inside a folder; point to the archive itself")
    return packed, partial({**OPENERS, "parquet": open_rows}[packed], path)
