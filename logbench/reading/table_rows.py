"""Rows of tables as cells: by the compiled kernel, where it can, else by polars."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from ..base.errors import DataError
from ..base.kernel import PERHAPS, YES, Kernel, kernel
from ..base.kernel_table import cells
from ..base.options import suggest
from ..data.line_format import LineFormat
from .line_patterns import SAMPLE, WHOLE
from .quotes import cell


@dataclass(frozen=True)
class TableRows:
    """How the rows of a table are taken apart: call it with lines.

    Attributes:
        between: what stands between cells. quotes: whether cells may be quoted.
        most, least: cells of a row at most and at least.
        places: of each field the numbers of its cells, of which the first that is there counts.
        regex: finds the cells of a row as `_expression` names them.
    """

    between: str
    quotes: bool
    most: int
    least: int
    places: Mapping[str, Sequence[int]]
    regex: str

    @classmethod
    def of(cls, form: LineFormat, asked: Sequence[str], header: str, where: str) -> TableRows:
        """Those of a format.

        Args:
            asked: its fields that are wanted. header: the first line. where: its file, for errors.

        Raises:
            DataError: the header lacks a field.
        """
        names = header_of(form, header, where)
        least, extra = len(names), f"column{len(names) + 1}"
        if extra in form.fields:  # a cell more than the header names
            names = [*names, extra]
        places = _places_of(form, names, where)
        wanted = {name: of for name, of in places.items() if name in asked}
        numbers = {number for of in wanted.values() for number in of}
        regex = _expression(form, [i if i in numbers else None for i in range(len(names))], least)
        try:
            SAMPLE.str.extract_groups(regex)
        except pl.exceptions.PolarsError:
            raise DataError(f"{where}: its first line has {len(names):,} columns; is it a header?") from None
        return cls(form.between, form.quote != "none", len(names), least, wanted, regex)

    def __call__(self, raw: pl.Series) -> pl.DataFrame:
        """Columns `WHOLE` and the fields, null where a line is no row."""
        if (built := kernel()) and len(self.between) == 1 and self.between.isascii():
            return self._cut(built, raw)
        if len(self.between) > 1:
            return self._quoted(raw)
        if not self.quotes:
            return self._plain(raw)
        at = raw.str.contains('"', literal=True).fill_null(True).arg_true()
        return self._quoted(raw) if len(at) == len(raw) else self._with_quoted(self._plain(raw), raw, at)

    def _cut(self, built: Kernel, raw: pl.Series) -> pl.DataFrame:
        """By the kernel; rows whose quotes do not close by the regular expression."""
        numbers = sorted({number for of in self.places.values() for number in of})
        found, told = cells(built, raw, self.between, numbers, self.most, self.least, self.quotes)
        named = pl.DataFrame([column.alias(f"u{i}") for i, column in zip(numbers, found, strict=True)])
        rows = named.select(_whole(pl.Series(told == YES)), **self._fields(_plain))
        return self._with_quoted(rows, raw, pl.Series(np.flatnonzero(told == PERHAPS)))

    def _plain(self, raw: pl.Series) -> pl.DataFrame:
        """Of lines without quotes: what stands between separators."""
        split = raw.str.splitn(self.between, self.most + 1).struct.unnest()
        split.columns = [f"u{i}" for i in range(self.most + 1)]
        fits = pl.col(f"u{self.most}").is_null() & pl.col(f"u{self.least - 1}").is_not_null()
        return split.select(
            _whole(fits), **{name: pl.when(fits).then(cell) for name, cell in self._fields(_plain).items()}
        )

    def _quoted(self, raw: pl.Series) -> pl.DataFrame:
        """By the regular expression."""
        groups = raw.str.extract_groups(self.regex).struct.unnest()
        return groups.select(WHOLE, **self._fields(_unquoted if self.quotes else _plain))

    def _with_quoted(self, found: pl.DataFrame, raw: pl.Series, at: pl.Series) -> pl.DataFrame:
        """Rows that are found, those at some places by the regular expression."""
        if not len(at):
            return found
        more = self._quoted(raw.gather(at))
        return found.with_columns(found[name].scatter(at, more[name]) for name in found.columns)

    def _fields(self, text_of: Callable[[int], pl.Expr]) -> dict[str, pl.Expr]:
        none = pl.lit(None, pl.String)
        return {name: pl.coalesce(*map(text_of, numbers), none) for name, numbers in self.places.items()}


def header_of(form: LineFormat, line: str, where: str = "") -> list[str]:
    """The names of a table's columns, of its first line where it has one.

    Raises:
        DataError: the line is no header, or lacks a field.
    """
    if form.columns:
        return list(form.columns)
    text = line.removeprefix(form.header).lstrip(form.between) if form.header else line
    try:
        if form.quote == "none":
            return text.split(form.between)
        return next(csv.reader([text], delimiter=form.between), [])
    except csv.Error as error:
        raise DataError(f"{where}: its first line is no header: {error}") from None


def _places_of(form: LineFormat, names: Sequence[str], where: str) -> dict[str, list[int]]:
    """The numbers of the columns that each field of a format may be."""
    places: dict[str, list[int]] = {}
    for name in form.fields:
        places[name] = [names.index(way) for way in name.split("|") if way in names]
        if not places[name] and ("|" not in name or name == form.message):
            raise DataError(f"{where}: has no column {name!r}{suggest(name, names[:20])}")
    return places


def _expression(form: LineFormat, numbers: Sequence[int | None], least: int) -> str:
    """The regular expression of a row: group `WHOLE`, and of each cell with a number those of `quotes.cell`."""
    between = re.escape(form.between)
    cells = [cell(number, form.between, form.quote, form.multiline) for number in numbers]
    more = "".join(f"(?:{between}{one})?" for one in cells[least:])
    return f"(?s)^(?P<{WHOLE}>{between.join(cells[:least])}{more})$"


def _whole(fits: pl.Expr | pl.Series) -> pl.Expr:
    return pl.when(fits).then(pl.lit("")).alias(WHOLE)


def _plain(number: int) -> pl.Expr:
    return pl.col(f"u{number}")


def _unquoted(number: int) -> pl.Expr:
    """The text of a cell: quotes within a quoted one are written twice, and it may go on after the last one."""
    quoted = pl.col(f"q{number}").str.replace_all('""', '"', literal=True)
    return pl.coalesce(quoted + pl.col(f"t{number}").fill_null(""), f"u{number}")
