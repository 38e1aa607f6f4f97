"""Which stored records this version reads, and how it reads older ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ..api.record import RECORD_VERSION, RunRecord


def refusal_of(record: Mapping[str, Any]) -> str:
    """Why a record cannot be read; empty where it can."""
    version = record.get("record_version")
    if type(version) is not int or version < 1:
        return f"record_version {version!r} is none that logbench writes; run again"
    if version > RECORD_VERSION:
        return f"record_version {version} is newer than this logbench reads ({RECORD_VERSION}); upgrade logbench"
    for one in dataclasses.fields(RunRecord):
        factory = one.default_factory
        shape = type(factory()) if factory is not dataclasses.MISSING else str if one.type == "str" else None
        if shape is not None and one.name in record and type(record[one.name]) is not shape:
            return f"its {one.name} is damaged; run again"
    return ""


def upgraded(record: dict[str, Any]) -> dict[str, Any]:
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
