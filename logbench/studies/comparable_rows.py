"""Which rows of one table can be set against each other: the same tested units, a threshold of the same kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..api.record_sections import Record

TESTS, THRESHOLD = "tests", "threshold"

MATERIAL = ("digest", "normal_total", "anomaly_total")


def tested(record: Record) -> dict[str, Any]:
    """What decides which units a run tests, and how much each counts."""
    return {
        "data": [record["dataset"].get(name) for name in MATERIAL],
        "read": [record["config"].get(name) for name in ("dataset", "windower")],
        "units": record["split"].get("test_digest"),
    }


def likeness(record: Record, row: Mapping[str, Any]) -> dict[str, Any]:
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


class FirstRows:
    """What the first row of a table was decided by, for the rows after it.

    Tests are those of the first row of all, thresholds those of the first row of the same pick.
    """

    def __init__(self) -> None:
        self._tests: Any = None
        self._thresholds: dict[str, Any] = {}

    def unlike(self, pick: str, facts: Mapping[str, Any]) -> list[str]:
        """In what a row differs, see `differences`.

        Args:
            pick: which threshold of a run. facts: of the row, see `likeness`.
        """
        if self._tests is None:
            self._tests = facts[TESTS]
        threshold = self._thresholds.setdefault(pick, facts[THRESHOLD])
        return differences({TESTS: self._tests, THRESHOLD: threshold}, facts)
