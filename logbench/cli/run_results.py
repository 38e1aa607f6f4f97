"""What a command says of its runs once they are through, and its exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ..api.record_sections import Record
from .shared_options import note


def finish(records: Sequence[Record], out: Path) -> int:
    """Print errors and the next step; return the exit code, where a skipped run counts as failed."""
    told = {record["error"]["message"] for record in asked_of(records) if record["error"]}
    for record in records:
        if record["error"] and record["baseline"] and record["error"]["message"] in told:
            continue  # baselines repeat errors of the data
        if record["error"] and record["error"].get("traceback"):
            sys.stderr.write(record["error"]["traceback"])
        if record["error"]:
            beside = record["baseline"] or len(asked_of(records)) > 1
            kind = "skipped" if record["status"] == "skipped" and beside else "error"
            note(f"{kind}: {record['model']}: {record['error']['message']} (stage {record['error']['stage']})")
    next_step(records, out)
    skipped = any(record["status"] == "skipped" for record in asked_of(records))
    return code_of(records) or (2 if skipped else 0)


def next_step(records: Sequence[Record], out: Path) -> None:
    """Print the path of the records and the next command; nothing if no run succeeded."""
    good = [record for record in asked_of(records) if record["status"] == "ok"]
    if good:
        where = "" if out == Path("runs") else f" --out {out}"
        newest = max(good, key=lambda record: record["started"])
        which = " --false-positives" if newest["metrics"] else ""
        note(f"records in {out / 'records.jsonl'}; next: logbench show {newest['run_id']}{where}{which}")


def asked_of(records: Sequence[Record]) -> list[Record]:
    """Records of the requested models, without automatic baselines."""
    return [record for record in records if not record["baseline"]]


def code_of(records: Sequence[Record]) -> int:
    """Exit code: 1 for a bug, 2 if a run failed or no requested run succeeded, else 0."""
    if any(record["error"] and record["error"].get("traceback") for record in records):
        return 1
    good = any(record["status"] == "ok" for record in asked_of(records))
    return 0 if good and all(record["status"] != "error" for record in records) else 2
