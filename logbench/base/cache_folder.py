"""Write, check and remove entries of the cache folder. An entry appears whole or not at all."""

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

# Entries to keep of one request. Every version of the code that answers it adds one.
KEPT = 3
# Kinds of entries with their own checksums.
SUMMED = ("grouped", "generated")
Note = Callable[[str], None]


def folder_of(kind: str, name: str) -> Path:
    """Path of an entry."""
    return root() / kind / name


def sound(folder: Path, note: Note, remembered: Path | None = None) -> bool:
    """Check that an entry exists and is undamaged; remove a damaged one, with a note.

    Args:
        remembered: file of known digests of large files, see `file_digests`.
    """
    while (identity := _identity(folder)) is not None:
        if not (wrong := checksums.fault(folder, folder.name, remembered)):
            return True
        if _identity(folder) == identity:  # else another process removed or replaced it meanwhile
            note(f"cache: {folder.parent.name} entry {folder.name} is damaged ({wrong}), so it is made anew")
            _take_away(folder, identity)
            break
    return False


def _identity(folder: Path) -> tuple[int, ...] | None:
    """Device, inode and ctime, which differ once another process replaces the entry; None if there is none."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_ctime_ns


def _take_away(folder: Path, identity: tuple[int, ...] | None) -> None:
    """Remove an entry, first by a rename so that nobody sees half of it; skip one that was replaced."""
    away = folder.with_name(f".{folder.name}-{os.getpid()}-{threading.get_ident()}")
    with suppress(OSError):
        if identity is None or _identity(folder) == identity:
            folder.rename(away)
    shutil.rmtree(away, ignore_errors=True)


@contextmanager
def entry(folder: Path) -> Iterator[Path]:
    """Give a folder to fill, turn it into the entry with checksums, and remove old entries of the same request.

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
    """List the cache: `kind`, `name`, `bytes` and `path` an entry; half-written ones have kind `leftover`."""
    listed = []
    for kind in sorted(root().glob("*")):
        for path in sorted(kind.glob("*")) if kind.is_dir() else [kind]:
            files = [path, *path.rglob("*")] if path.is_dir() else [path]
            size = sum(_size(file) for file in files)
            name = "leftover" if path.name.startswith(".") else kind.name
            listed.append({"kind": name, "name": path.name, "bytes": size, "path": str(path)})
    return listed


def _size(file: Path) -> int:
    try:
        return file.stat().st_size if file.is_file() else 0
    except FileNotFoundError:  # another process removed it
        return 0


def clear(kind: str | None = None) -> int:
    """Remove cached entries of one kind, or all; return the bytes freed.

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
    """Remove an entry, even while another process removes it, too.

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
