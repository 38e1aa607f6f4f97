"""The ladder of `logbench ladder --json`: windows a second of each rung, and whether verdicts stay the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..theme import LIGHT
from .figure import Figure

KINDS = {"same verdicts": LIGHT["teal"], "other verdicts": LIGHT["red"], "the slow loop": LIGHT["grey"]}


def ladder(found: Mapping[str, Any]) -> Figure | None:
    """A bar a rung of the evaluation, on a scale of logarithms; None where none was timed."""
    timed = [row for row in found["evaluation"] if not row["skipped"] and row["per_s"]]
    if not timed:
        return None
    rows = [
        {"rung": row["name"], "per_s": row["per_s"], "text": f"{row['per_s']:,.0f}", "kind": _kind(row), "from": 1}
        for row in timed
    ]
    kinds = [kind for kind in KINDS if any(row["kind"] == kind for row in rows)]
    y = {"field": "rung", "type": "nominal", "sort": None, "title": None}
    x = {"field": "per_s", "type": "quantitative", "title": "windows a second (logarithmic)",
         "scale": {"type": "log", "domainMin": 1}, "axis": {"tickCount": 5, "format": "~s"}}  # fmt: skip
    colour = {"field": "kind", "type": "nominal", "title": None,
              "scale": {"domain": kinds, "range": [KINDS[kind] for kind in kinds]}}  # fmt: skip
    first, last = timed[0], max(timed, key=lambda row: row["per_s"])
    data = found["dataset"]
    simulated = " (simulated)" if data.get("simulated") else ""
    return Figure(
        "ladder",
        f"Speed of DeepLog's evaluation on {data['name']}{simulated}, rung by rung",
        f"{last['name']} is fastest, {last['per_s'] / first['per_s']:,.0f} times {first['name']}; "
        f"{sum(row['kind'] == 'other verdicts' for row in rows)} of {len(rows)} rungs change a verdict. Device: "
        f"{found['device']}.",
        {
            "data": {"name": "rungs"},
            "layer": [
                {"mark": {"type": "bar"}, "encoding": {"y": y, "x": x, "x2": {"field": "from"}, "color": colour}},
                {
                    "mark": {"type": "text", "align": "left", "dx": 5},
                    "encoding": {"y": y, "x": x, "text": {"field": "text"}},
                },
            ],
        },
        {"rungs": rows},
        [
            {"rung": row["name"], "windows/s": round(row["per_s"], 1), "verdicts": _kind(row),
             "timed": f"slice of {row['windows']:,}" if row["extrapolated"] else "all"}
            for row in timed
        ],
        height=max(80, 24 * len(rows)),
    )  # fmt: skip


def _kind(row: Mapping[str, Any]) -> str:
    """The first rung is what others are compared with."""
    if row["equal_others"] is None and row["equal_first"] is None:
        return "the slow loop"
    return "other verdicts" if row["different"] else "same verdicts"
