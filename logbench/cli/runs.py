"""`logbench runs`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..api.record_sections import Record
from ..evaluation.metrics import headline
from ..running import records, run_names
from . import State, pass_state, run_completion
from .reporting import reporter_of
from .shared_options import json_option, out_option, print_json, print_table
from .shown import reporter_option


@click.command("runs", epilog="Example: logbench runs --out runs")
@click.argument("runs", shell_complete=run_completion.run, nargs=-1, metavar="[RUN]…")
@reporter_option
@out_option
@json_option
@pass_state
def command(state: State, runs: tuple[str, ...], reporter: str | None, out: Path, as_json: bool) -> None:
    """List the runs of a folder, oldest first.

    RUN is an id, its beginning, or `last`; without one, all runs are listed.
    """
    if reporter is not None and as_json:
        raise click.UsageError("--format and --json exclude each other")
    shown_by = reporter_of(state, reporter, out) if reporter is not None else None
    found = [run_names.find(run, out) for run in runs] or list(records.read(out))
    if shown_by is not None:
        shown_by.show(found)
    elif as_json:
        print_json(found)
    else:
        print_table([_row(record) for record in found], f"no runs in {out}",
                    fold=("data set",), drop=("protocol", "threshold", "seed", "preset"),
                    states=("status",))  # fmt: skip


def _row(record: Record) -> dict[str, Any]:
    metrics = headline(record)
    return {
        "run": record["run_id"],
        "data set": record["dataset"]["name"] + (" (simulated)" if record["dataset"].get("simulated") else ""),
        "preset": record["preset"],
        "protocol": record["protocol"]["hash"][:8],
        "seed": record["seed"],
        "threshold": record["protocol"]["threshold"],
        "f1": f"{metrics['f1']:.3f}" if metrics and metrics.get("f1") is not None else None,
        "status": record["status"],
    }
