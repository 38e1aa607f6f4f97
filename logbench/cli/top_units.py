"""Print the most anomalous units of runs without labels, each with its deciding line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..api.record_sections import Record
from ..base.jsonable import four_digits, shorten
from ..components.registry import Registry
from .shared_options import fitted, placed, print_table, threshold_text

ROWS = 10


def print_ranked(records: Sequence[Record], out: Path, registry: Registry) -> None:
    """Print a table for each successful run without metrics; equal sequences appear once."""
    unlabelled = [record for record in records if _asked(record) and not record["metrics"]]
    for record in unlabelled:
        from ..studies.ranked_units import described

        rows = described(record, out, "top", ROWS if len(unlabelled) == 1 else ROWS // 2, registry)
        unit, value = record["dataset"]["unit"], threshold_text(record["threshold"])
        print(f"\n{record['model']}: the most anomalous {unit}s, no labels to judge them by{_above(value)}")
        print_table(
            fitted([_row(unit, row) for row in rows], "what"),
            fold=("what",),
            drop=("event", "like it", "line"),
            states=("",),
        )


def _asked(record: Record) -> bool:
    return bool(record["status"] == "ok" and not record["baseline"])


def _above(value: str | None) -> str:
    return f" (alarm: score > {value})" if value is not None else ""


def _row(unit: str, row: Mapping[str, Any]) -> dict[str, str]:
    event = "short" if row["short"] else "" if row["event"] is None else f"{row['event'] + 1} of {row['events']}"
    return {
        unit: shorten(row["unit"], 24),
        "like it": f"{row['units'] - 1:,}" if row["units"] > 1 else "",
        "score": four_digits(row["score"]),
        "": "ALARM" if row["verdict"] == "alarm" else "",
        "event": event,
        "line": placed(row["file"], row["line"]),
        "what": row["text"] or row["template"] or "",
    }
