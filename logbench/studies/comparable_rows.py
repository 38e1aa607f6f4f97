"""Which rows of one table can be set against each other: the same tested units, a threshold of the same kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TESTS, THRESHOLD = "tests", "threshold"
MATERIAL = ("digest", "normal_total", "anomaly_total")


def tested(record: Mapping[str, Any]) -> dict[str, Any]:
    """What decides which units a run tests, and how much each counts."""
    return {
        "data": [record["dataset"].get(name) for name in MATERIAL],
        "read": [record["config"].get(name) for name in ("dataset", "windower")],
        "units": record["split"].get("test_digest"),
    }


def likeness(record: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of a row that others may differ in.

    Args:
        record: of the run. row: what was decided from its scores, see `variants.under`.
    """
    counts, protocol = row["counts"], row["decided"]
    limit = counts.get("short_limit", protocol["min_events"])
    by_units = row["threshold"]["source"] == "validation"
    return {
        TESTS: {**tested(record), "excluded": counts["excluded"], "duplicates": protocol["duplicates"]},
        THRESHOLD: {
            "limit": limit if counts["short"] else 0,
            "held_out": record["split"].get("held_out_digest") if by_units else None,
        },
    }


def differences(first: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """In what a row cannot be compared with the first: `tests`, `threshold`, both or neither.

    The thresholds of rows that do not choose them on held-out units differ in the limit of short units alone.
    """
    found = [TESTS] if first[TESTS] != other[TESTS] else []
    one, two = first[THRESHOLD], other[THRESHOLD]
    chosen = one["held_out"] and two["held_out"]
    if one["limit"] != two["limit"] or (chosen and one["held_out"] != two["held_out"]):
        found.append(THRESHOLD)
    return found
