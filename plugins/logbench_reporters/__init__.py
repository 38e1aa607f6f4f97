"""First-party reporters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logbench import Component, hookimpl, option

if TYPE_CHECKING:
    from .table import Table


@dataclass(frozen=True)
class TableConfig:
    """Options of `table`."""

    format: str = option("simple", "a format of tabulate: simple, github, latex, html, tsv …")


def _table(config: TableConfig) -> Table:
    from .table import Table

    return Table(config.format)


@hookimpl
def logbench_reporters() -> Iterable[Component[Table]]:
    """Offer `table`, the default."""
    yield Component(
        "table", _table, TableConfig, "one row a run, the rules that need no model below", default=True
    )
