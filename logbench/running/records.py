"""The store of records: append to a folder's `records.jsonl`, one JSON object a line, and read it back."""

from __future__ import annotations

import errno
import io
import json
import os
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..api.record import RunRecord
from ..api.record_sections import Record
from ..base.errors import DataError
from ..base.files import check_name, written
from ..base.jsonable import several
from ..base.regular_files import open_regular
from . import stored
from .record_versions import refusal_of, upgraded

if TYPE_CHECKING:
    import polars as pl

FILE = "records.jsonl"
LOCK = ".records.lock"
PATIENCE_S = 60
# Kinds of damaged records that are said one by one.
MOST_SAID = 5


def append(record: RunRecord, folder: Path) -> None:
    """Add a record to `folder/records.jsonl`: whole, on disk before this returns, in one write under a lock.

    It is read back; what cannot be written whole is taken away again.

    Raises:
        DataError: it cannot be written; what was there stays as it was.
    """
    path = folder / FILE
    with written(path):
        folder.mkdir(parents=True, exist_ok=True)
        record.checksums |= stored.checksums(record.run_id, record.artifacts, folder)
        record.checksums[stored.OWN] = stored.record_sum(json.loads(record.to_json()))
        with _alone(folder / LOCK), _opened(path) as file:
            size = file.seek(0, os.SEEK_END)
            torn = b"\n" if size and _read(file, size - 1, 1) != b"\n" else b""
            text = torn + record.to_json().encode() + b"\n"
            try:
                if file.write(text) != len(text):  # on a full disk a part of it is
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(file.fileno())
                if _read(file, size, len(text)) != text:
                    raise OSError(errno.EIO, "what was written is not what is there")
            except BaseException:
                file.truncate(size)
                os.fsync(file.fileno())
                raise


def check_folder(folder: Path) -> None:
    """Make the folder of records, and see, before anything runs, that they can be kept in it.

    Raises:
        DataError: they cannot.
    """
    check_name(folder)
    with written(folder / FILE):
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / FILE).exists():
            _opened(folder / FILE).close()
        tempfile.TemporaryFile(dir=folder).close()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock, which the system lets go of when a process dies.

    Raises:
        OSError: it is a link, or another process holds it for `PATIENCE_S`.
    """
    from filelock import FileLock, Timeout

    if path.is_symlink():
        raise OSError(errno.ELOOP, f"{path.name} is a link; remove it", str(path))
    try:
        with FileLock(path, timeout=PATIENCE_S, mode=0o666):
            yield
    except Timeout:
        raise OSError(
            errno.EAGAIN, f"another process has held {path.name} for {PATIENCE_S} s", str(path)
        ) from None


def _opened(path: Path) -> io.FileIO:
    """The file without a buffer, which would be written when it is closed, whatever was truncated before."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    number = os.open(path, flags, 0o666)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise OSError(errno.EINVAL, "a pipe or a device, not a regular file", str(path))
    return io.FileIO(number, "a+")


def _read(file: io.FileIO, start: int, size: int) -> bytes:
    file.seek(start)
    parts = []
    while size and (part := file.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def read(folder: Path, name: str = FILE) -> Iterator[Record]:
    """Records of a folder, oldest first.

    Those of an unknown version and damaged ones are passed over, and so is a line that a killed run left
    half-written; a line on standard error says so.
    """
    unknown: dict[str, int] = {}
    for record in lines(folder, name):
        if refusal := refusal_of(record):
            unknown[refusal] = unknown.get(refusal, 0) + 1
        else:
            yield cast(Record, upgraded(record))
    for refusal, number in [*unknown.items()][:MOST_SAID]:
        sys.stderr.write(f"warning: {folder / name}: passed over {number} of its records: {refusal}\n")
    if more := sum([*unknown.values()][MOST_SAID:]):
        sys.stderr.write(f"warning: {folder / name}: passed over {more} more, for other reasons\n")


def lines(folder: Path, name: str = FILE) -> Iterator[dict[str, Any]]:
    """Records of any version as they stand, oldest first; a line on standard error says which lines are none.

    Raises:
        DataError: the folder has no records.
    """
    path, none = folder / name, list[int]()
    try:
        with open_regular(path) as file:
            for number, line in enumerate(file, 1):
                record = _parsed(line)
                if isinstance(record, dict) and isinstance(record.get("run_id"), str):
                    yield record
                elif line.strip():
                    none.append(number)
    except FileNotFoundError:
        raise DataError(f"{path}: no records here; run something first, or give --out DIR") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    if none:
        places = ", ".join(map(str, none[:MOST_SAID])) + (", …" if none[MOST_SAID:] else "")
        sys.stderr.write(
            f"warning: {path}: {several(len(none), 'line')} cut off or damaged (line {places}), passed over\n"
        )


def _parsed(line: bytes) -> Any:
    """A line's JSON; None where it is none, is nested too deeply, or holds a number of thousands of digits."""
    try:
        return json.loads(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def scores(record: Record, folder: Path, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """The stored scores of a run.

    Args:
        columns: those to read; None: all.

    Raises:
        DataError: the run has none, or they are gone or damaged.
    """
    return stored.table(record, folder, "scores", columns)
