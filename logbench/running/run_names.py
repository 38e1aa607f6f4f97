"""Name new runs, and find the record of a typed name (`last`, `last~1`, the beginning of an id)."""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from ..api.record_sections import Record
from ..base.errors import DataError
from ..base.jsonable import several
from . import records
from .record_versions import refusal_of, upgraded

# Letters of a model's name in a run's id, since a combination of many models would name no folder.
LONGEST_MODEL = 60


def new_run(model: str) -> dict[str, Any]:
    """Make a `run_id`, which names a folder, and the time `started`, now; a long name of a model is cut."""
    started = datetime.datetime.now(datetime.UTC)
    run_id = f"{started:%Y%m%d-%H%M%S}-{model[:LONGEST_MODEL].replace('*', 'x')}-{uuid.uuid4().hex[:6]}"
    return {"run_id": run_id, "started": started.isoformat(timespec="seconds")}


def find(run: str, folder: Path) -> Record:
    """Find the record whose id is or begins with `run`; `last` is the newest that worked, `last~1` the one
    before it.

    `last` skips failed runs, which their ids name, and baselines that were added automatically.

    Raises:
        DataError: no record or several match, or the record is damaged or of an unknown version.
    """
    stored = dict[str, dict[str, Any]]()
    for one in records.lines(folder):
        stored.pop(one["run_id"], None)  # else a later record of this id would stand in the place of the earlier
        stored[one["run_id"]] = one
    record = _named(run, stored, folder)
    if refusal := refusal_of(record):
        raise DataError(f"run {record['run_id']} in {folder}: {refusal}")
    return cast(Record, upgraded(record))


def _named(run: str, stored: Mapping[str, dict[str, Any]], folder: Path) -> dict[str, Any]:
    if back := re.fullmatch(r"last(?:~(\d+))?", run):
        steps = int(back[1] or 0)
        asked = [record for record in stored.values() if record.get("baseline") is not True]
        # What has another status than those that are written is damaged, and refused, not skipped.
        good = [record for record in asked if record.get("status", "ok") not in ("error", "skipped")]
        if steps < len(good):
            return good[-1 - steps]
        failed = f", beside {several(len(asked) - len(good), 'failed one')}" if len(good) < len(asked) else ""
        raise DataError(
            f"{run}: there are {len(good)} runs{failed} in {folder}; see: logbench runs --out {folder}"
        )
    matches = [record for name, record in stored.items() if name.startswith(run)]
    if len(matches) == 1 or (matches and run in stored):
        return stored.get(run, matches[0])
    if matches:
        raise DataError(
            f"{run} begins {len(matches)} runs in {folder}: {', '.join(r['run_id'] for r in matches[:5])}"
        )
    raise DataError(f"no run {run} in {folder}; see: logbench runs --out {folder}")
