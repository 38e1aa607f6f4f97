"""Entries of the cache folder: each is written whole or not at all, and checked when it is used."""

from __future__ import annotations

import glob
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..base import checksums
from .errors import DataError
from .files import root, whole

# Entries of one request that are kept: each other code that answers it makes one more.
KEPT = 3
# Kinds of entries that have checksums of their own.
SUMMED = ("grouped", "generated")
Note = Callable[[str], None]


def folder_of(kind: str, name: str) -> Path:
    """Where an entry lies."""
    return root() / kind / name


def sound(folder: Path, note: Note, remembered: Path | None = None) -> bool:
    """Whether an entry is there, as it was written; a damaged one is removed, with a note.

    Args:
        remembered: digests of large files that may be relied on, see `file_digests`.
    """
    while (looked_at := _identity(folder)) is not None:
        if not (wrong := checksums.fault(folder, folder.name, remembered)):
            return True
        if _identity(folder) == looked_at:  # else another process removed or replaced it meanwhile
            note(f"cache: {folder.parent.name} entry {folder.name} is damaged ({wrong}), so it is made anew")
            _take_away(folder, looked_at)
            break
    return False


def _identity(folder: Path) -> tuple[int, ...] | None:
    """What tells an entry from one that another process puts in its place; None where there is none."""
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_ctime_ns


def _take_away(folder: Path, looked_at: tuple[int, ...] | None) -> None:
    """Remove an entry at once for all that look, unless it is another one by now; what cannot be removed stays."""
    away = folder.with_name(f".{folder.name}-{os.getpid()}-{threading.get_ident()}")
    with suppress(OSError):
        if looked_at is None or _identity(folder) == looked_at:
            folder.rename(away)
    shutil.rmtree(away, ignore_errors=True)


@contextmanager
def entry(folder: Path) -> Iterator[Path]:
    """A folder to fill, which becomes the entry, with checksums; older entries of the same request are removed.

    Raises:
        DataError: it cannot be written.
    """
    with whole(folder) as target:
        yield target
        checksums.write(target, folder.name)
    asked = folder.name.rpartition("-")[0]
    alike = sorted(folder.parent.glob(f"{glob.escape(asked)}-*"), key=_written)
    for old in alike[:-KEPT]:
        _take_away(old, None)


def _written(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:  # another process removed it
        return 0.0


def entries() -> list[dict[str, Any]]:
    """What is cached: `kind`, `name`, `bytes`, `path`; half-written leftovers have kind `leftover`."""
    found = []
    for kind in sorted(root().glob("*")):
        for path in sorted(kind.glob("*")) if kind.is_dir() else [kind]:
            files = [path, *path.rglob("*")] if path.is_dir() else [path]
            size = sum(_size(file) for file in files)
            name = "leftover" if path.name.startswith(".") else kind.name
            found.append({"kind": name, "name": path.name, "bytes": size, "path": str(path)})
    return found


def _size(file: Path) -> int:
    try:
        return file.stat().st_size if file.is_file() else 0
    except FileNotFoundError:  # another process removed it
        return 0


def clear(kind: str | None = None) -> int:
    """Remove cached entries of one kind, or all; returns the bytes freed.

    Raises:
        DataError: one cannot be removed.
    """
    freed = 0
    for entry in entries():
        if kind in (None, entry["kind"]):
            remove(Path(entry["path"]))
            freed += entry["bytes"]
    return freed


def remove(path: Path) -> None:
    """Remove an entry, which another process may remove, too; it is made or fetched anew when it is needed.

    Raises:
        DataError: it cannot be removed.
    """
    while path.exists():
        try:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise DataError(f"{path}: cannot be removed: {error.strerror or error}") from None
