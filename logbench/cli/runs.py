"""`logbench runs`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..api.record_sections import Record
from ..evaluation.metrics import headline
from ..running import records
from .shared_options import json_option, out_option, print_json, print_table


@click.command("runs", epilog="Example: logbench runs --out runs")
@out_option
@json_option
def command(out: Path, as_json: bool) -> None:
    """List the runs of a folder, oldest first."""
    found = list(records.read(out))
    if as_json:
        print_json(found)
    else:
        print_table([_row(record) for record in found], f"no runs in {out}", disable_numparse=True)


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
