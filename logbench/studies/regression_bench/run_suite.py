"""Run a suite: every cell as a run like any other, and its figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ...api.record_sections import Record
from ..workbench import Workbench
from .cells import cells
from .figures import figures
from .figures_file import Row
from .suite import Suite


def run_suite(suite: Suite, bench: Workbench, out: Path) -> Iterator[tuple[Row, Record]]:
    """Run every cell; what the runs of one data set and protocol have in common is done once.

    Args:
        bench: does the runs. out: folder of the records.

    Yields:
        The figures of a cell, and its record.
    """
    asked = cells(suite, bench.registry)
    plans = [replace(cell.resolved.plan, out=out) for cell in asked]
    for number, record in bench.run(plans):
        yield figures(asked[number], record, suite), record
