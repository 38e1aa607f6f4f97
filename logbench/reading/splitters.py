"""How an event is taken apart: a `LineFormat` as polars expressions, by its kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import polars as pl

from ..data.line_format import PLACE, LineFormat
from .json_fields import JsonFields
from .line_patterns import WHOLE, LinePattern, matched
from .line_times import readable_time, time_of
from .quotes import open_at
from .table_rows import TableRows

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
        return _table(form, TableRows.of(form, names, header, where))
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


def _table(form: LineFormat, rows: TableRows) -> Splitter:
    def begins(raw: pl.Series) -> pl.Series:
        return pl.Series([True]).new_from_index(0, len(raw))

    by_quotes = form.quote != "none" and form.multiline
    return Splitter(rows, None if by_quotes else begins, shown(form), form.between)


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
