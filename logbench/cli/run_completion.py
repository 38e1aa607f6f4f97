"""Ids of runs that the shell completes; none where something fails."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from ..running import records
from .completion import matching, quiet

# Newest runs that are offered.
RUNS = 50


def run(context: click.Context, parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    """`last` and ids of the newest runs in the folder that the command has."""
    folder = context.params.get("folder") or context.params.get("out") or Path("runs")
    try:
        with quiet():
            found = [one for one in records.lines(Path(folder)) if not one.get("baseline")][-RUNS:]
    except Exception:
        return []
    offered = [(one["run_id"], f"{one['model']} on {one['dataset']['name']}, {one['status']}") for one in found]
    return matching([("last", "the last run that worked"), *reversed(offered)], typed)
