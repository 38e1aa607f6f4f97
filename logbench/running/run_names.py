"""Names of runs: a new one, and the record that a typed one means (`last`, `last~1`, the beginning of an id)."""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..base.errors import DataError
from . import records
from .record_versions import refusal_of, upgraded


def new_run(model: str) -> dict[str, Any]:
    """A new `run_id` and when it `started`: now."""
    started = datetime.datetime.now(datetime.UTC)
    run_id = f"{started:%Y%m%d-%H%M%S}-{model}-{uuid.uuid4().hex[:6]}"
    return {"run_id": run_id, "started": started.isoformat(timespec="seconds")}


def find(run: str, folder: Path) -> dict[str, Any]:
    """The record whose id is or begins with `run`; `last` is the newest, `last~1` the one before it.

    Baselines that nobody asked for by name are passed over in counting back.

    Raises:
        DataError: none or several begin so, or it is of an unknown version or damaged.
    """
    record = _named(run, {record["run_id"]: record for record in records.lines(folder)}, folder)
    if refusal := refusal_of(record):
        raise DataError(f"run {record['run_id']} in {folder}: {refusal}")
    return upgraded(record)


def _named(run: str, stored: Mapping[str, dict[str, Any]], folder: Path) -> dict[str, Any]:
    if back := re.fullmatch(r"last(?:~(\d+))?", run):
        at = int(back[1] or 0)
        asked = [record for record in stored.values() if not record.get("baseline")]
        if at < len(asked):
            return asked[-1 - at]
        raise DataError(f"{run}: there are {len(asked)} runs in {folder}; see: logbench runs --out {folder}")
    found = [record for name, record in stored.items() if name.startswith(run)]
    if len(found) == 1 or (found and run in stored):
        return stored.get(run, found[0])
    if found:
        raise DataError(f"{run} begins {len(found)} runs in {folder}: {', '.join(r['run_id'] for r in found[:5])}")
    raise DataError(f"no run {run} in {folder}; see: logbench runs --out {folder}")
