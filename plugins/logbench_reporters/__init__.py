"""First-party reporters."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from logbench import Reporter, ReporterComponent, hookimpl, option

if TYPE_CHECKING:
    from .flat import Flat
    from .table import Table


@dataclass(frozen=True)
class Config:
    """Options of every reporter here."""

    each_seed: bool = option(False, "show one row a run instead of one a model with its 95% interval")
    metric: str = option("f1", "metric to show first, such as mcc, or cost.cost of another evaluator")


@dataclass(frozen=True)
class TableConfig(Config):
    """Options of `table`."""

    format: str = option("simple", "format of tabulate: simple, github, latex, html, tsv …")


def _table(config: TableConfig) -> Table:
    from .table import Table

    return Table(config.format, config.each_seed, config.metric)


def _markdown(config: Config) -> Table:
    from .table import Table

    return Table("github", config.each_seed, config.metric)


def _latex(config: Config) -> Table:
    from .table import Table

    return Table("latex_booktabs", config.each_seed, config.metric, comment="% ")


def _flat(form: Literal["csv", "json"]) -> Callable[[Config], Flat]:
    def build(config: Config) -> Flat:
        from .flat import Flat

        return Flat(form, config.each_seed, config.metric)

    return build


@hookimpl
def logbench_reporters() -> Iterable[ReporterComponent[Reporter]]:
    """Offer `table`, the default, and formats for documents and machines."""
    rows = "one row a model, the rules that need no model below"
    yield ReporterComponent("table", _table, TableConfig, f"{rows}, for a terminal", default=True)
    yield ReporterComponent("markdown", _markdown, Config, f"{rows}, as GitHub shows it")
    yield ReporterComponent("latex", _latex, Config, f"{rows}, with booktabs; what is no table is a comment")
    yield ReporterComponent("csv", _flat("csv"), Config, "one line a row, every fact in a column")
    yield ReporterComponent("json", _flat("json"), Config, "a list of rows with every fact; whole records: --json")
