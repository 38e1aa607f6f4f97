"""What `logbench bench` says of figures: rows of its tables, notes below them, the exit status."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..base.jsonable import several

FAILING = ("WORSE", "SLOWER", "failed")
# States of cells without comparable figures on one side.
WITHOUT = ("changed", "new", "gone")
# Columns that a narrow terminal does without, the first one first.
SPARE = ("memory MB", "score s", "fit s", "time s", "seed", "protocol")

Row = Mapping[str, Any]


def name_of(row: Row) -> str:
    """Words for a cell."""
    return f"{row['model']} on {row['dataset']}, protocol {row['protocol']}, seed {row['seed']}"


def table_row(row: Row, gates: Sequence[str]) -> dict[str, Any]:
    """Figures of a run as a row of a table."""
    labels = {name: row[name] for name in ("model", "dataset", "protocol", "seed")}
    if row["status"] != "ok":
        return {**labels, "status": row["status"]}
    values = {name: row["metrics"][name] for name in gates}
    return {**labels, **values, "fit s": row["fit_s"], "score s": row["score_s"], "status": "ok"}


def pair(row: Row, gates: Sequence[str], alike: bool) -> dict[str, Any]:
    """Old and new figures of a cell as a row of a table.

    Args:
        alike: whether times may be compared.
    """
    shown = {name: row[name] for name in ("model", "dataset", "protocol", "seed")}
    sides = [row.get("old") or {}, row.get("new") or {}]
    for name in gates:
        shown[name] = _arrow([side.get("metrics", {}).get(name) for side in sides], ".4f")
    for title, names in (("time s", ("fit_s", "score_s")), ("memory MB", ("peak_rss_mb",))):
        was, now = (sum(s[n] for n in names) if s.get("status") == "ok" else None for s in sides)
        shown[title] = _arrow([was, now], ".3g") + (f" ({now / was:.2f}x)" if alike and was and now else "")
    return {**shown, "state": row["state"]}


def _arrow(values: Sequence[float | None], form: str) -> str:
    """Format old → new."""
    return " → ".join("–" if value is None else f"{value:{form}}" for value in values)


def notes_of(rows: Sequence[Row], first: Row, second: Row, alike: bool, new: Path) -> list[str]:
    """Notes on a comparison: other versions and gates, failed and uncompared cells.

    Args:
        first, second: the headers of BASELINE and NEW. alike: whether times may be compared. new: path of NEW.
    """
    return [*_changed(first, second), *_cells(rows), *_together(rows, alike, new)]


def _changed(first: Row, second: Row) -> Iterator[str]:
    was, now = first["versions"], second["versions"]
    for name in sorted(name for name in {*was, *now} if was.get(name) != now.get(name)):
        yield f"{name}: {was.get(name, 'none')} in BASELINE, {now.get(name, 'none')} in NEW"
    was, now = first["gates"], second["gates"]
    for name in dict.fromkeys((*was, *now)):
        if was.get(name) != now.get(name):
            old, new = was.get(name, "none"), now.get(name, "none")
            yield f"gates.{name}: {old} in BASELINE, {new} in NEW, which counts"


def _cells(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        if row["state"] in (*FAILING, *WITHOUT):
            yield f"{row['state']}: {name_of(row)}: {row['why']}"


def _together(rows: Sequence[Row], alike: bool, new: Path) -> Iterator[str]:
    if not alike:
        yield "other hardware, or runs side by side: times and memory are shown, not compared"
    if without := sum(row["state"] in WITHOUT for row in rows):
        yield (
            f"not compared: {without} of {several(len(rows), 'cell')}; to take the new figures as the baseline, "
            f"look at them and copy {new} over it"
        )


def code_of(rows: Sequence[Row]) -> int:
    """Exit status: 1 where a cell is worse or failed, 3 where some could not be compared, else 0."""
    states = {row["state"] for row in rows}
    return 1 if states & {*FAILING} else 3 if states & {*WITHOUT} else 0
