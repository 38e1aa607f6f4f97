"""Rows of runs in slices: which scores depend on the order of the stream, and a metric slice by slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .report.figures.by_slice import value_of_slice

Record = Mapping[str, Any]
# Signs of what a model did between slices; none for one that was kept as fitted.
SIGNS = {"updated": "†", "refitted": "‡"}
MEANINGS = {
    "updated": "learned online from past slices, so its scores depend on the order of the stream",
    "refitted": "fitted anew on all past slices, so its scores depend on the order of the stream",
}


def signs_said(learned: Sequence[str]) -> list[str]:
    """Explain the signs of rows.

    Args:
        learned: of each row what its model did; empty where it ran in a batch.
    """
    said = [f"{sign}: {MEANINGS[what]}" for what, sign in SIGNS.items() if what in learned]
    return [*said, *(["without a sign: kept as fitted"] if said and "kept" in learned else [])]


def slices_said(protocol: Mapping[str, Any], records: Sequence[Record]) -> list[str]:
    """Say how the stream is cut, and what is told; empty in a batch run."""
    slices = next((one["stream"]["slices"] for one in records if one.get("stream", {}).get("slices")), None)
    if protocol.get("procedure", "batch") == "batch" or slices is None:
        return []
    budget = protocol["feedback_budget"]
    delay = f", {protocol['feedback_delay']:,} units late" if protocol["feedback_delay"] else ""
    told = f"labels of {budget:,} alarms a slice{delay}" if budget else "no labels"
    return [
        f"prequential, {len(slices)} slices, test then train; models without update: "
        f"{protocol['without_update']}; online models are told {told}"
    ]


def columns_by_slice(records: Sequence[Record], metric: str) -> tuple[dict[str, list[str]], int]:
    """Cells of a table by heading: a model a row, then the drift of each slice; and how many rows are models.

    Args:
        records: one run a model.
    """
    known = [one for one in records if one.get("stream", {}).get("slices")]
    if not known:
        return {}, 0
    drifts = {"unseen keys": "unseen", "distance": "distance", "step": "step"}
    columns: dict[str, list[str]] = {
        f"{metric} of slice": [
            *(f"{one['model']}{_sign(one)}" for one in known),
            *(f"drift: {name}" for name in drifts),
        ]
    }
    slices = known[0]["stream"]["slices"]
    for at, facts in enumerate(slices):
        values = [value_of_slice(one["stream"]["slices"][at], one["dataset"]["unit"], metric) for one in known]
        values += [facts["drift"][name] for name in drifts.values()]
        columns[str(at + 1)] = ["" if value is None else f"{value:.2f}" for value in values]
    return columns, len(known)


def _sign(record: Record) -> str:
    sign = SIGNS.get(record["stream"]["learning"])
    return f" {sign}" if sign else ""
