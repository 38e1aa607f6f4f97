"""`logbench compare`."""

from __future__ import annotations

from pathlib import Path

import click

from .. import record as records
from ..compare import compare
from .common import json_option, out_option, print_json, print_table


@click.command("compare", epilog="Example: logbench compare RUN_A RUN_B --metric f1 --tolerance 0.005")
@click.argument("runs", nargs=-1, required=True, metavar="RUN_A RUN_B…")
@click.option("--metric", default="f1", show_default=True, help="A metric of the headline.")
@click.option("--tolerance", type=click.FloatRange(min=0), default=0.005, show_default=True,
              help="How much lower than the first run is not yet worse.")  # fmt: skip
@out_option
@json_option
def command(runs: tuple[str, ...], metric: str, tolerance: float, out: Path, as_json: bool) -> int:
    """Compare runs with the first. Exit 1 where one is worse, 2 where they are not comparable.

    Not comparable are runs on other data, with another split, or under another protocol.
    """
    if len(runs) < 2:
        raise click.UsageError("two runs at least; list them with: logbench runs")
    rows = compare([records.find(run, out) for run in runs], metric, tolerance)
    if as_json:
        print_json(rows)
    else:
        print_table([{**row, "worse": "WORSE" if row["worse"] else ""} for row in rows], floatfmt=".4f")
    return int(any(row["worse"] for row in rows))
