"""Run a suite: every cell as a run like any other, and its figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ...api.record_sections import Record
from ...base.errors import ConfigError
from ..asked_metric import check_metric
from ..leaderboard import Leaderboard
from ..workbench import Workbench
from .cells import cells
from .figures import figures
from .figures_file import Row
from .suite import Suite


def run_suite(suite: Suite, bench: Workbench, out: Path) -> Iterator[tuple[Row, Record]]:
    """Run every cell that has no record yet; what the runs of one data set and protocol share is done once.

    Args:
        bench: does the runs, and says whether those of `out` are taken over. out: folder of the records.

    Yields:
        The figures of a cell, and its record, in the order of the suite.

    Raises:
        ConfigError: an unknown name or option, or a gate whose metric no evaluator gives, or gives no direction.
    """
    asked = cells(suite, bench.registry)
    plans = [replace(cell.resolved.plan, out=out) for cell in asked]
    for name in suite.gates:
        try:
            check_metric(plans[0], name, bench, ranks=True)
        except ConfigError as error:
            raise ConfigError(f"{suite.name}: gates.{name}: {error}") from None
    board = Leaderboard(plans, bench, lenient=True)
    board.say_taken_over()
    for cell, record in zip(asked, board.in_order(), strict=True):
        yield figures(cell, record, suite), record
