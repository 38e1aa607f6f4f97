"""`--format`: tables that are not of records, for a terminal, a paper or a machine."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import click

from ..base.escapes import escaped, printable
from . import completion
from .shared_options import note, print_table, say

FORMS = ("table", "markdown", "latex", "csv")
# Formats of tabulate that escape nothing, or what LaTeX needs.
_OF_TABULATE = {"markdown": "github", "latex": "latex_booktabs"}

format_option = click.option(
    "--format", "form", type=click.Choice(FORMS), default="table", show_default=True,
    help="Format of the table; in all but `table` what stands around it goes to standard error.",
)  # fmt: skip
reporter_option = click.option(
    "--format", "--reporter", "reporter", shell_complete=completion.reporter, metavar="NAME",
    help="Show the runs by this reporter: table, markdown, latex, csv, json …",
)  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """Where a command's table goes, and the sentences around it."""

    form: Literal["table", "markdown", "latex", "csv"]

    def say(self, text: str = "") -> None:
        """Print a sentence beside the table."""
        if self.form == "table":
            say(text)
        elif text:
            note(text)

    def table(self, rows: Sequence[Mapping[str, Any]], **layout: Any) -> None:
        """Print rows.

        Args:
            layout: of `print_table`, for a terminal.
        """
        if self.form == "table" or not rows:
            print_table(rows, **layout)
        else:
            print(document(rows, self.form))


def shown_as(form: Any, as_json: bool) -> Shown:
    """Read `--format`.

    Raises:
        UsageError: --json is given, too.
    """
    if as_json and form != "table":
        raise click.UsageError("--format and --json exclude each other")
    return Shown(form)


def document(rows: Sequence[Mapping[str, Any]], form: Literal["markdown", "latex", "csv"]) -> str:
    """Rows as a table of a document, with every column."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    heads = [" ".join(name.split()) for name in names]
    cells = [[row.get(name) for name in names] for row in rows]
    return _csv(heads, cells) if form == "csv" else _marked_up(heads, cells, form)


def _csv(heads: Sequence[str], cells: Sequence[Sequence[Any]]) -> str:
    """A header and a line a row, numbers in full."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in (heads, *cells):
        writer.writerow(["" if cell is None else escaped(str(cell), "csv") for cell in row])
    return text.getvalue().rstrip("\n")


def _marked_up(heads: Sequence[str], cells: Sequence[Sequence[Any]], form: str) -> str:
    from tabulate import tabulate

    def text(cell: Any) -> str:
        shown = "–" if cell is None else f"{cell:.3f}" if isinstance(cell, float) else str(cell)
        return escaped(shown, "markdown") if form == "markdown" else printable(" ".join(shown.split()))

    table = [[text(cell) for cell in row] for row in cells]
    return str(tabulate(table, list(map(text, heads)), tablefmt=_OF_TABULATE[form], disable_numparse=True))
