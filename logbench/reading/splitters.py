"""How an event is taken apart: a `LineFormat` as polars expressions, by its kind."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from ..base.errors import DataError
from ..base.kernel import PERHAPS, YES, Kernel, kernel
from ..base.kernel_table import cells as cells_of
from ..base.options import suggest
from ..data.line_format import PLACE, LineFormat
from .json_fields import JsonFields
from .line_patterns import SAMPLE, LinePattern, matched
from .line_times import readable_time, time_of
from .quotes import cell, open_at

# Column that is null where a line does not match.
WHOLE = "whole_line__"
# Columns that `Splitter.early` adds: the time of an event, and whether it begins one.
TIME, BEGINS = "time of it", "begins one"
# Colours and other control sequences of terminals.
COLOUR = r"\x1b\[[0-9;?]*[A-Za-z]"


@dataclass(frozen=True)
class Splitter:
    """How an event is taken apart.

    Attributes:
        fields: of lines, a frame of `WHOLE` and the event's fields.
        begins: of lines, which begin an event; None: by quotes that are open, as in CSV.
        message: the message, of the fields; null where a matching line has none.
        between: what stands between the cells of a table.
        times: the format, where times tell which lines begin an event: their fields are found once, see `early`.
    """

    fields: Callable[[pl.Series], pl.DataFrame]
    begins: Callable[[pl.Series], pl.Series] | None
    message: pl.Expr
    between: str = ","
    times: LineFormat | None = None

    def __call__(self, raw: pl.Series) -> pl.DataFrame:
        """Columns with the fields, see `private`."""
        return self.fields(without_colours(raw)).rename(private)

    def early(self, form: LineFormat, raw: pl.Series) -> pl.DataFrame:
        """The fields of lines, their times and which of them begin an event: columns `TIME` and `BEGINS`."""
        found = self(raw).with_columns(time_of(form, named).alias(TIME))
        readable = readable_time(form, named, pl.col(TIME))
        return found.with_columns((pl.col(WHOLE).is_not_null() & readable).alias(BEGINS))

    def starts(self, lines: pl.Series) -> pl.Series:
        """Which lines begin an event."""
        plain = without_colours(lines)
        return ~open_at(plain, self.between) if self.begins is None else self.begins(plain)


def without_colours(lines: pl.Series) -> pl.Series:
    """The lines without control sequences of terminals."""
    if not lines.str.contains("\x1b", literal=True).any():
        return lines
    return lines.str.replace_all(COLOUR, "")


def splitter(
    form: LineFormat,
    header: str = "",
    where: str = "",
    also: Sequence[str] = (),
    wanted: Collection[str] | None = None,
) -> Splitter:
    """How events of a format are taken apart, its inner formats aside.

    Args:
        header: of CSV, the first line. where: its file, for errors.
        also: fields to find beside those of the format, where they are there.
        wanted: the only fields that are asked for; None: all.

    Raises:
        DataError: the header lacks a field.
    """
    names = [name for name in dict.fromkeys((*form.fields, *also)) if wanted is None or name in wanted]
    if form.format == "json":
        return _json(form, names)
    if form.format == "logfmt":
        return _logfmt(form, names)
    if form.between:
        return _table(form, names, header, where)
    return _regex(form, names)


def _regex(form: LineFormat, asked: Sequence[str]) -> Splitter:
    by_time = form.multiline and bool(form.time)
    taken = _pattern_fields(form, list(dict.fromkeys((*asked, *(form.time if by_time else ())))))
    split = Splitter(taken, None, shown(form).fill_null(""))
    if not by_time:
        plain = [LinePattern.of(regex, ()) for regex in form.regexes]
        return replace(split, begins=lambda raw: matched(plain, raw)[1])
    alone = not (form.inner or form.pieces or form.traces)
    return replace(split, begins=lambda raw: split.early(form, raw)[BEGINS], times=form if alone else None)


def _pattern_fields(form: LineFormat, asked: Sequence[str]) -> Callable[[pl.Series], pl.DataFrame]:
    """Columns `WHOLE` and those of `asked` that a pattern has."""
    ways = {name: name.split("|") for name in asked}
    patterns = [LinePattern.of(regex, {way for of in ways.values() for way in of}) for regex in form.regexes]

    def fields(raw: pl.Series) -> pl.DataFrame:
        found, fits = matched(patterns, raw)
        there = {name: [way for way in of if way in found] for name, of in ways.items()}
        whole = pl.when(fits).then(pl.lit("")).alias(WHOLE)
        return found.select(whole, *(pl.coalesce(some).alias(name) for name, some in there.items() if some))

    return fields


def _json(form: LineFormat, names: Sequence[str]) -> Splitter:
    find = JsonFields(names)

    def fields(raw: pl.Series) -> pl.DataFrame:
        found, objects = find(raw)
        return pl.DataFrame(objects.alias(WHOLE)).select(pl.when(WHOLE).then(pl.lit("")).alias(WHOLE), *found)

    def begins(raw: pl.Series) -> pl.Series:
        return raw.str.starts_with("{")

    return Splitter(fields, begins, shown(form))


def _logfmt(form: LineFormat, names: Sequence[str]) -> Splitter:
    def fields(raw: pl.Series) -> pl.DataFrame:
        columns = [pl.when(begins(raw)).then(raw).alias(WHOLE)]
        for name in names:
            pairs: list[pl.Series] = []
            for way in name.split("|"):
                regex = rf'(?:^|\s){re.escape(way)}=(?:"(?P<q>(?:[^"\\]|\\.)*)"|(?P<u>[^\s"]\S*|))'
                groups = raw.str.extract_groups(regex).struct.unnest()
                pairs += [groups["q"].str.replace_all(r"\\(.)", "$1"), groups["u"]]
            columns.append(pl.coalesce(pairs).alias(name))
        return pl.select(columns)

    def begins(raw: pl.Series) -> pl.Series:
        return raw.str.contains(r"(?:^|\s)[\w.@/-]+=").fill_null(False)

    return Splitter(fields, begins, shown(form))


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


def _table(form: LineFormat, asked: Sequence[str], header: str, where: str) -> Splitter:
    between, names = form.between, header_of(form, header, where)
    if (extra := f"column{len(names) + 1}") in form.fields:  # a cell more than the header names
        names = [*names, extra]
    known: dict[str, list[int]] = {}
    for name in form.fields:
        known[name] = [names.index(way) for way in name.split("|") if way in names]
        if not known[name] and ("|" not in name or name == form.message):
            raise DataError(f"{where}: has no column {name!r}{suggest(name, names[:20])}")
    known = {name: places for name, places in known.items() if name in asked}
    wanted = {i for places in known.values() for i in places}
    cells = [cell(i if i in wanted else None, between, form.quote, form.multiline) for i in range(len(names))]
    if extra in names:
        cells[-1] = f"(?:{re.escape(between)}{cells[-1]})?"
    regex = f"(?s)^(?P<{WHOLE}>{re.escape(between).join(cells[: len(names) - (extra in names)])}"
    regex += f"{cells[-1] if extra in names else ''})$"
    try:
        SAMPLE.str.extract_groups(regex)
    except pl.exceptions.PolarsError:
        raise DataError(f"{where}: its first line has {len(names):,} columns; is it a header?") from None

    def quoted(raw: pl.Series) -> pl.DataFrame:
        groups = raw.str.extract_groups(regex).struct.unnest()
        none = pl.lit(None, pl.String)
        cells = {
            name: pl.coalesce(*(_cell(i, form.quote) for i in places), none) for name, places in known.items()
        }
        return groups.select(WHOLE, **cells)

    def plain(raw: pl.Series) -> pl.DataFrame:
        """The same of lines without quotes: what stands between separators."""
        split = raw.str.splitn(between, len(names) + 1).struct.unnest()
        split.columns = [f"u{i}" for i in range(len(names) + 1)]
        none, least = pl.lit(None, pl.String), len(names) - 1 - (extra in names)
        fits = pl.col(f"u{len(names)}").is_null() & pl.col(f"u{least}").is_not_null()
        cells = {name: pl.coalesce(*(pl.col(f"u{i}") for i in places), none) for name, places in known.items()}
        return split.select(
            pl.when(fits).then(pl.lit("")).alias(WHOLE),
            **{name: pl.when(fits).then(cells[name]) for name in cells},
        )

    def fields(raw: pl.Series) -> pl.DataFrame:
        if (built := kernel()) and len(between) == 1 and between.isascii():
            return cut(built, raw)
        if len(between) > 1:
            return quoted(raw)
        has_quotes = raw.str.contains('"', literal=True) if form.quote != "none" else raw.is_null()
        if not len(at := has_quotes.fill_null(True).arg_true()):
            return plain(raw)
        if len(at) == len(raw):
            return quoted(raw)
        found, more = plain(raw), quoted(raw.gather(at))
        return found.with_columns(found[name].scatter(at, more[name]) for name in found.columns)

    def cut(built: Kernel, raw: pl.Series) -> pl.DataFrame:
        """The same by the kernel; rows whose quotes do not close by the regular expression."""
        places, least = sorted(wanted), len(names) - (extra in names)
        columns, told = cells_of(built, raw, between, places, len(names), least, form.quote != "none")
        cells = pl.DataFrame([column.alias(f"u{i}") for i, column in zip(places, columns, strict=True)])
        none, fits = pl.lit(None, pl.String), pl.Series(told == YES)
        found = cells.select(
            pl.when(fits).then(pl.lit("")).alias(WHOLE),
            **{name: pl.coalesce(*(pl.col(f"u{i}") for i in of), none) for name, of in known.items()},
        )
        if not len(unknown := np.flatnonzero(told == PERHAPS)):
            return found
        more = quoted(raw.gather(unknown))
        return found.with_columns(found[name].scatter(pl.Series(unknown), more[name]) for name in found.columns)

    def begins(raw: pl.Series) -> pl.Series:
        return pl.Series([True]).new_from_index(0, len(raw))

    return Splitter(fields, begins if form.quote == "none" or not form.multiline else None, shown(form), between)


def _cell(number: int, quote: str) -> pl.Expr:
    """The text of a cell: quotes within a quoted one are written twice, and it may go on after the last one."""
    if quote == "none":
        return pl.col(f"u{number}")
    quoted = pl.col(f"q{number}").str.replace_all('""', '"', literal=True)
    return pl.coalesce(quoted + pl.col(f"t{number}").fill_null(""), f"u{number}")


def private(name: str) -> str:
    """Column of a field, which no other column is called."""
    return name if name == WHOLE else f"field {name}"


def named(name: str) -> pl.Expr:
    return pl.col(private(name)) if name else pl.lit(None, pl.String)


def shown(form: LineFormat) -> pl.Expr:
    """The message, of the fields: one of them, or a text with several."""
    if not re.search(PLACE, form.message):
        return named(form.message)
    texts = re.split(PLACE, form.message)
    parts = [pl.lit(text) if at % 2 == 0 else named(text).fill_null("") for at, text in enumerate(texts)]
    known = pl.any_horizontal(named(name).is_not_null() for name in form.shown)
    return pl.when(known).then(pl.concat_str(parts))
