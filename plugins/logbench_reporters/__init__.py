"""First-party reporters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from logbench import Reporter, ReporterComponent, ReportsRuns, hookimpl, option

if TYPE_CHECKING:
    import click

    from .flat import Flat
    from .report.html import Html
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


@dataclass(frozen=True)
class HtmlConfig:
    """Options of `html`."""

    metric: str = option("f1", "metric that ranks, such as mcc, or cost.cost of another evaluator")
    static: bool = option(False, "draw figures as SVG and put no script into the page")


def _html(config: HtmlConfig) -> Html:
    from .report.html import Html

    return Html(config.metric, config.static)


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
def logbench_reporters() -> Iterable[ReporterComponent[Reporter | ReportsRuns]]:
    """Offer `table`, the default, and formats for documents and machines."""
    rows = "one row a model, the rules that need no model below"
    yield ReporterComponent("table", _table, TableConfig, f"{rows}, for a terminal", default=True)
    yield ReporterComponent("markdown", _markdown, Config, f"{rows}, as GitHub shows it")
    yield ReporterComponent("latex", _latex, Config, f"{rows}, with booktabs; what is no table is a comment")
    yield ReporterComponent("csv", _flat("csv"), Config, "one line a row, every fact in a column")
    yield ReporterComponent("json", _flat("json"), Config, "a list of rows with every fact; whole records: --json")
    yield ReporterComponent(
        "html", _html, HtmlConfig, "a page to look at, in one file that loads nothing",
        requires=("jinja2", "vl-convert-python"),
    )  # fmt: skip


@hookimpl
def logbench_commands() -> Iterator[click.Command]:
    """`logbench report`, the page of stored runs, `logbench site`, a leaderboard of them, `logbench cite`."""
    from .cite.command import command as cite
    from .report.command import command as report
    from .site.command import command as site

    yield cite
    yield report
    yield site
