"""Records as a run of ten units would leave them."""

from __future__ import annotations

from typing import Any

from logbench import RunRecord

PROTOCOL = {
    "hash": "0" * 16, "threshold": "validation", "duplicates": "all", "split_seed": 0, "train": "first",
    "short": "flag",
}  # fmt: skip
SPLIT = {"train": 8, "held_out": 1, "test": 1}


def made(run_id: str = "20260101-000000-m-aaaaaa", **fields: Any) -> RunRecord:
    if fields.get("status") == "error":
        fields["error"] = {"stage": "fit", "message": "it failed"}
    fields = {
        "model": "m",
        "dataset": {"name": "d"},
        "split": SPLIT,
        "threshold": {"source": "validation"},
        **fields,
    }
    fields["protocol"] = {**PROTOCOL, **fields.get("protocol", {})}
    return RunRecord(run_id=run_id, started="2026-01-01T00:00:00+00:00", **fields)
