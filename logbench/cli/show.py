"""`logbench show`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..base.jsonable import four_digits, several, shorten
from ..running import run_names
from . import State, pass_state
from .apart import apart
from .shared_options import json_option, memory_option, note, out_option, print_json, threshold_text


@click.command("show", epilog="Example: logbench show last --false-positives --top 5")
@click.argument("run")
@click.option("--top", type=click.IntRange(min=1), default=20, show_default=True, help="Number of sequences.")
@click.option("--false-positives", "which", flag_value="false-positives", help="Only normal units that alarmed.")
@click.option("--missed", "which", flag_value="missed", help="Only anomalies that did not alarm.")
@out_option
@memory_option
@json_option
@pass_state
@apart
def command(state: State, run: str, top: int, which: str | None, out: Path, as_json: bool) -> None:
    """Show a run's ranked units, each with the deciding raw line, its template and the expected templates.

    RUN is an id, its beginning, or `last`. Equal sequences appear once.
    """
    from ..studies.ranked_units import described, unlabelled_hint

    record = run_names.find(run, out)
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


def _lines(number: int, row: dict[str, Any]) -> list[str]:
    same = f", {row['units']:,} like it" if row["units"] > 1 else ""
    head = f"\n{number}. {row['unit']}  {row['label']}, {row['verdict']}, score {four_digits(row['score'])}{same}"
    if row["short"]:
        return [f"{head}\n   short: {several(row['events'], 'event')}; the protocol decides"]
    if row["event"] is None:
        return [f"{head}\n   {several(row['events'], 'event')}, none decided alone"]
    where = f", {row['file']}" if row["file"] else ""
    where += f", line {row['line']:,}" if row["line"] else ""
    lines = [f"{head}\n   event {row['event'] + 1} of {row['events']}{where}"]
    if row["raw"] is not None:
        lines.append(f"   raw       {shorten(' '.join(row['raw'].split()), 160)}")
    lines.append(f"   template  {shorten(' '.join(str(row['template']).split()), 160)}")
    if row["why"]:
        lines.append(f"   why       {shorten(row['why'], 160)}")
    for rank, template in enumerate(row["expected"] or [], 1):
        came = "  <- came" if template == row["template"] else ""
        lines.append(f"   {'expected' if rank == 1 else '':<9} {rank}. {shorten(template, 140)}{came}")
    return lines
