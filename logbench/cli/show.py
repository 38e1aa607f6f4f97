"""`logbench show`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..api.record_sections import Record
from ..base.cells import columns_of
from ..base.errors import DataError
from ..base.jsonable import four_digits, several, shorten
from ..base.progress_bars import Bars
from ..base.screen import screen_width
from ..running import run_names
from . import State, pass_state, run_completion
from .apart import apart
from .shared_options import (
    NARROW,
    first_line,
    json_option,
    memory_option,
    note,
    out_option,
    placed,
    print_json,
    threshold_text,
)
from .unit_text import unit_text

# Columns of output that no terminal shows.
WIDEST = 173


@click.command("show", epilog="Example: logbench show last --false-positives --top 5")
@click.argument("names", shell_complete=run_completion.run, nargs=-1, required=True, metavar="[RUN] [UNIT]")
@click.option("--top", type=click.IntRange(min=1), default=20, show_default=True, help="Number of sequences.")
@click.option("--false-positives", "which", flag_value="false-positives", help="Only normal units that alarmed.")
@click.option("--missed", "which", flag_value="missed", help="Only anomalies that did not alarm.")
@click.option("--all", "everything", is_flag=True, help="All lines of a long unit.")
@out_option
@memory_option
@json_option
@pass_state
@apart
def command(
    state: State,
    names: tuple[str, ...],
    top: int,
    which: str | None,
    everything: bool,
    out: Path,
    as_json: bool,
) -> None:
    """Show a run's ranked units, or all lines of one unit. Each unit with the deciding line and why.

    RUN is an id, its beginning, or `last`; before a UNIT also `score` or `detect`, what these last looked at. A
    UNIT alone is looked for in the newest of them. Equal sequences appear once.
    """
    from ..studies.ranked_units import described, unlabelled_hint

    record = _run(names, out)
    if record is None:
        _show_unit(state, names, out, everything, as_json)
        return
    kind: Any = which or "top"
    unlabelled_hint(kind, record)
    rows = described(record, out, kind, top, state.registry)
    if as_json:
        print_json(rows)
        return
    print(f"{record['run_id']}: {kind}, threshold {threshold_text(record['threshold'])}")
    for number, row in enumerate(rows, 1):
        print("\n".join(_lines(number, row)))
    if not rows:
        note("none")
    elif all(row["raw"] is None for row in rows) and any(row["line"] for row in rows):
        note(f"no raw lines: {record['dataset']['path']} is gone or has changed since the run")


def _run(names: tuple[str, ...], out: Path) -> Record | None:
    """The run that a single name means; None where it is a unit."""
    if len(names) > 1:
        return None
    try:
        return run_names.find(names[0], out)
    except DataError:
        if names[0].startswith("last"):
            raise
        return None


def _show_unit(state: State, names: tuple[str, ...], out: Path, everything: bool, as_json: bool) -> None:
    from ..studies.whole_unit import whole_unit

    with Bars() as bars, bars.stage("read") as progress:
        unit = whole_unit(names, out, state.registry, progress)
    if as_json:
        print_json([{"unit": unit.name, "of": unit.of, **unit.facts, "lines": unit.lines}])
        return
    print("\n".join(unit_text(unit, everything)))


def _room() -> int:
    """Columns right of the words that lines begin with: of the terminal, or many where there is none."""
    return max(screen_width() or WIDEST, NARROW) - 13


def _lines(number: int, row: dict[str, Any]) -> list[str]:
    same = f", {row['units']:,} like it" if row["units"] > 1 else ""
    lines = [
        f"\n{number}. {row['unit']}  {row['label']}, {row['verdict']}, score {four_digits(row['score'])}{same}"
    ]
    room = _room()
    events, where = several(row["events"], "event"), placed(row["file"], row["line"])
    where = where if row["file"] or not where else f"line {where}"
    if row["short"]:
        lines.append(f"   short: {events}; the protocol decides")
    elif row["event"] is None:
        lines.append(f"   {events}, none decided alone")
    else:
        lines.append(f"   event {row['event'] + 1} of {row['events']}{where and f', {where}'}")
        if row["text"] is not None:
            lines.append(f"   text      {shorten(' '.join(row['text'].split()), room)}")
        lines.append(f"   template  {shorten(' '.join(str(row['template']).split()), room)}")
    for at, why in enumerate((row["why"] or "").splitlines()):
        lines.append(f"   {'' if at else 'why':<9} {shorten(why, room)}")
    decided = row["line"] if row["event"] is not None else None
    for at, line in enumerate(one for one in row["telling"] if one["line"] != decided):
        place = placed(line["file"], line["line"])
        text = shorten(first_line(line["text"]), room - 2 - columns_of(place))
        lines.append(f"   {'' if at else 'lines':<9} {place}: {text}")
    for rank, template in enumerate(row["expected"] or [], 1):
        came = "  <- came" if template == row["template"] else ""
        lines.append(
            f"   {'expected' if rank == 1 else '':<9} {rank}. {shorten(template, room - 4 - len(came))}{came}"
        )
    return lines
