"""The record of a run: one JSON object a line in `records.jsonl`, the scores in Parquet beside it."""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import re
import sys
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl

from ..api.record import RECORD_VERSION, RunRecord
from ..base.errors import DataError
from ..base.files import written
from ..running import stored

FILE = "records.jsonl"


def new_run(model: str) -> dict[str, Any]:
    """A new `run_id` and when it `started`: now."""
    started = datetime.datetime.now(datetime.UTC)
    run_id = f"{started:%Y%m%d-%H%M%S}-{model}-{uuid.uuid4().hex[:6]}"
    return {"run_id": run_id, "started": started.isoformat(timespec="seconds")}


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


def read(folder: Path) -> Iterator[dict[str, Any]]:
    """Records of a folder, oldest first; a line that a killed run left half-written is passed over.

    Records of an unknown version and damaged ones are passed over, too; one line on standard error says so.
    """
    unknown: dict[str, int] = {}
    for record in _lines(folder):
        if refusal := _refusal(record):
            unknown[refusal] = unknown.get(refusal, 0) + 1
        else:
            yield _upgraded(record)
    for refusal, number in unknown.items():
        sys.stderr.write(f"warning: {folder / FILE}: passed over {number} of its records: {refusal}\n")


def _lines(folder: Path) -> Iterator[dict[str, Any]]:
    """Records of any version."""
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


def _refusal(record: Mapping[str, Any]) -> str:
    """Why a record cannot be read; empty where it can."""
    version = record.get("record_version")
    if type(version) is not int or version < 1:
        return f"record_version {version!r} is none that logbench writes; run again"
    if version > RECORD_VERSION:
        return f"record_version {version} is newer than this logbench reads ({RECORD_VERSION}); upgrade logbench"
    for one in dataclasses.fields(RunRecord):
        shape = one.default_factory if one.default_factory in (dict, list) else str if one.type == "str" else None
        if shape is not None and one.name in record and type(record[one.name]) is not shape:
            return f"its {one.name} is damaged; run again"
    return ""


def find(run: str, folder: Path) -> dict[str, Any]:
    """The record whose id is or begins with `run`; `last` is the newest, `last~1` the one before it.

    Baselines that nobody asked for by name are passed over in counting back.

    Raises:
        DataError: none or several begin so, or it is of an unknown version or damaged.
    """
    found = _named(run, {record["run_id"]: record for record in _lines(folder)}, folder)
    if refusal := _refusal(found):
        raise DataError(f"run {found['run_id']} in {folder}: {refusal}")
    return _upgraded(found)


def _upgraded(record: dict[str, Any]) -> dict[str, Any]:
    """A record as this version would have written it.

    Version 1 kept the limit in force as `protocol.min_events`, whatever was asked. It stays there, since a run
    that asks for that number gives the same figures; one that asks for 0 may not, so the two are not compared.
    """
    if record["record_version"] > 1:
        return record
    counts = record.get("counts") or {}
    if counts:
        counts = {**counts, "short_limit": record["protocol"]["min_events"], "needed": None}
    return {**record, "record_version": RECORD_VERSION, "counts": counts}


def _named(run: str, records: Mapping[str, dict[str, Any]], folder: Path) -> dict[str, Any]:
    if back := re.fullmatch(r"last(?:~(\d+))?", run):
        at = int(back[1] or 0)
        asked = [record for record in records.values() if not record.get("baseline")]
        if at < len(asked):
            return asked[-1 - at]
        raise DataError(f"{run}: there are {len(asked)} runs in {folder}; see: logbench runs --out {folder}")
    found = [record for name, record in records.items() if name.startswith(run)]
    if len(found) == 1 or (found and run in records):
        return records.get(run, found[0])
    if found:
        raise DataError(f"{run} begins {len(found)} runs in {folder}: {', '.join(r['run_id'] for r in found[:5])}")
    raise DataError(f"no run {run} in {folder}; see: logbench runs --out {folder}")


def scores(record: Mapping[str, Any], folder: Path) -> pl.DataFrame:
    """The stored scores of a run.

    Raises:
        DataError: the run has none, or they are gone or damaged.
    """
    return stored.table(record, folder, "scores")
