"""The reporter `html`: a page a data set and protocol, written into the report's folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from logbench import escaped

from ..rows import Row
from . import head
from .page import page
from .study import studies

if TYPE_CHECKING:
    from logbench import Runs


class Html:
    """Writes `report.html`, of several comparisons `report-2.html` and so on; see `ReportsRuns.report`.

    Args:
        metric: what ranks.
        static: figures are SVG, and there is no script.
    """

    def __init__(self, metric: str = "f1", static: bool = False) -> None:
        self.metric, self.static = metric, static

    def report(self, records: Sequence[Mapping[str, Any]], runs: Runs) -> str:
        """A sentence a page and a line a model; the command names the files."""
        said = []
        for at, study in enumerate(studies(records, runs, self.metric), 1):
            name = "report.html" if at == 1 else f"report-{at}.html"
            (runs.folder / name).write_text(page(study, self.static), encoding="utf-8")
            said += [f"{name}: {head.headline(study)}", *(_line(row, self.metric) for row in study.models)]
        return "\n".join(escaped(line, "terminal") for line in said) or "no runs, so no page"


def _line(row: Row, metric: str) -> str:
    if not row.runs:
        return f"  {row.name}: {row.status}: {row.reason}"
    value = row.metrics.get(metric)
    return f"  {row.name}: no {metric}" if value is None else f"  {row.name}: {metric} {value:.3f}"
