"""The store of records: append to a folder's `records.jsonl`, one JSON object a line, and read it back."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import polars as pl

from ..api.record import RunRecord
from ..api.record_sections import Record
from ..base.errors import DataError
from ..base.files import written
from . import stored
from .record_versions import refusal_of, upgraded

FILE = "records.jsonl"


def append(record: RunRecord, folder: Path) -> None:
    """Add a record to `folder/records.jsonl`: whole, on disk before this returns, in one write under a lock.

    Raises:
        DataError: it cannot be written; what was there stays as it was.
    """
    import fcntl

    path = folder / FILE
    with written(path):
        folder.mkdir(parents=True, exist_ok=True)
        record.checksums |= stored.checksums(record.run_id, record.artifacts, folder)
        with path.open("ab+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            size = file.seek(0, os.SEEK_END)
            torn = b"\n" if size and _last_byte(file, size) != b"\n" else b""
            try:
                file.write(torn + record.to_json().encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                os.ftruncate(file.fileno(), size)
                raise


def _last_byte(file: BinaryIO, size: int) -> bytes:
    file.seek(size - 1)
    return file.read(1)


def read(folder: Path) -> Iterator[Record]:
    """Records of a folder, oldest first; a line that a killed run left half-written is passed over.

    Records of an unknown version and damaged ones are passed over, too; one line on standard error says so.
    """
    unknown: dict[str, int] = {}
    for record in lines(folder):
        if refusal := refusal_of(record):
            unknown[refusal] = unknown.get(refusal, 0) + 1
        else:
            yield cast(Record, upgraded(record))
    for refusal, number in unknown.items():
        sys.stderr.write(f"warning: {folder / FILE}: passed over {number} of its records: {refusal}\n")


def lines(folder: Path) -> Iterator[dict[str, Any]]:
    """Records of any version as they stand, oldest first; half-written lines are passed over.

    Raises:
        DataError: the folder has no records.
    """
    path = folder / FILE
    if not path.exists():
        raise DataError(f"{path}: no records here; run something first, or give --out DIR")
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):  # splitlines knows U+2028 too
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(record, dict) and "run_id" in record:
            yield record


def scores(record: Record, folder: Path) -> pl.DataFrame:
    """The stored scores of a run.

    Raises:
        DataError: the run has none, or they are gone or damaged.
    """
    return stored.table(record, folder, "scores")
