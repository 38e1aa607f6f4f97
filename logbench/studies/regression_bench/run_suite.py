"""Run a suite: every cell as a run like any other, and its figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ...components.registry import Registry
from ...running.run_plans import run_plans
from ...running.workers import DoesTasks, Running
from .cells import cells
from .figures import figures
from .figures_file import Row
from .suite import Suite


def run_suite(
    suite: Suite, registry: Registry, crew: DoesTasks, out: Path, watch: Callable[[Mapping[int, Running]], None]
) -> Iterator[tuple[Row, Row]]:
    """Run every cell; what the runs of one data set and protocol have in common is done once.

    Args:
        crew: does the runs. out: folder of the records. watch: is told often what runs.

    Yields:
        The figures of a cell, and its record.
    """
    asked = cells(suite, registry)
    plans = [replace(cell.resolved.plan, out=out) for cell in asked]
    for number, record in run_plans(plans, registry, crew, watch):
        yield figures(asked[number], record, suite), dict(record)
