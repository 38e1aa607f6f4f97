"""How an event is taken apart: a `LineFormat` as polars expressions, by its kind."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from ..base.errors import DataError
from ..base.options import suggest
from ..data.line_format import PLACE, LineFormat, regex_of
from .json_values import value_at
from .line_times import readable_time
from .quotes import cell, open_at

# Column that is null where a line does not match.
WHOLE = "whole_line__"
# Colours and other control sequences of terminals.
COLOUR = r"\x1b\[[0-9;?]*[A-Za-z]"


@dataclass(frozen=True)
class Splitter:
    """How an event is taken apart.

    Attributes:
        fields: of `raw`, a struct of `WHOLE` and the event's fields.
        begins: of `raw`, whether a line begins an event; None: by quotes that are open, as in CSV.
        message: the message, of the fields; null where a matching line has none.
        between: what stands between the cells of a table.
        mended: of `raw` and the fields, the fields with what no expression finds.
    """

    fields: pl.Expr
    begins: pl.Expr | None
    message: pl.Expr
    between: str = ","
    mended: Callable[[pl.Series, pl.DataFrame], pl.DataFrame] | None = None

    def __call__(self, raw: pl.Series) -> pl.Series:
        """A struct column with the fields."""
        plain = without_colours(raw)
        fields = plain.to_frame("raw").select(fields=self.fields)["fields"]
        return fields if self.mended is None else self.mended(plain, fields.struct.unnest()).to_struct("fields")

    def starts(self, lines: pl.Series) -> pl.Series:
        """Which lines begin an event."""
        plain = without_colours(lines)
        if self.begins is not None:
            return plain.to_frame("raw").select(self.begins).to_series()
        return ~open_at(plain, self.between)


def without_colours(lines: pl.Series) -> pl.Series:
    """The lines without control sequences of terminals."""
    if not lines.str.contains("\x1b", literal=True).any():
        return lines
    return lines.str.replace_all(COLOUR, "")


def splitter(form: LineFormat, header: str = "", where: str = "", also: Sequence[str] = ()) -> Splitter:
    """How events of a format are taken apart, its inner formats aside.

    Args:
        header: of CSV, the first line. where: its file, for errors.
        also: fields to find beside those of the format, where they are there.

    Raises:
        DataError: the header lacks a field.
    """
    if form.format == "json":
        return _json(form, list(dict.fromkeys((*form.fields, *also))))
    if form.format == "logfmt":
        return _logfmt(form, list(dict.fromkeys((*form.fields, *also))))
    if form.between:
        return _table(form, header, where)
    return _regex(form)


def regexes(form: LineFormat) -> list[str]:
    """The regular expressions of a format by patterns."""
    return [regex_of(one) if form.format == "pattern" else one for one in (form.pattern, *form.more)]


def _regex(form: LineFormat) -> Splitter:
    raw = pl.col("raw").str
    groups = [raw.extract_groups(f"(?s)(?P<{WHOLE}>{regex})") for regex in regexes(form)]
    begins = pl.any_horizontal(raw.contains(f"(?s){regex}") for regex in regexes(form))
    names: dict[str, list[pl.Expr]] = {}
    for regex, found in zip(regexes(form), groups, strict=True):
        for name in (WHOLE, *group_names(regex)):
            names.setdefault(name, []).append(found.struct.field(name))
    for name in form.fields:
        if "|" in name:
            names[name] = [one for way in name.split("|") for one in names.get(way, [])]
    fields = groups[0] if len(groups) == 1 and not any("|" in name for name in names) else pl.struct(
        pl.coalesce(found).alias(name) for name, found in names.items() if found
    )  # fmt: skip
    if form.multiline and form.time:
        begins &= readable_time(form, fields.struct.field)
    return Splitter(fields, begins, shown(form).fill_null(""))


def group_names(regex: str) -> list[str]:
    """Names of the capturing groups of a regular expression."""
    return [name for name in SAMPLE.str.extract_groups(regex).struct.fields if name]


SAMPLE = pl.Series("raw", [""], dtype=pl.String)


def _json(form: LineFormat, names: Sequence[str]) -> Splitter:
    text = pl.col("raw").str
    whole = text.json_path_match("$")
    is_object = whole.str.starts_with("{").fill_null(False)
    found = [pl.coalesce(text.json_path_match(path) for path in _paths(name)).alias(name) for name in names]
    fields = pl.struct(pl.when(is_object).then(whole).alias(WHOLE), *found)
    begins = text.starts_with("{") if form.multiline else is_object

    def mended(raw: pl.Series, fields: pl.DataFrame) -> pl.DataFrame:
        for name in names:
            wrong = fields[name].str.starts_with("[").fill_null(False)
            if "." in name:
                wrong |= fields[name].is_null() & fields[WHOLE].is_not_null()
            if wrong.any():
                at = wrong.arg_true()
                values = [value_at(line, name.split("|")) for line in raw.gather(at)]
                fields = fields.with_columns(fields[name].scatter(at, pl.Series(values, dtype=pl.String)))
        return fields

    return Splitter(fields, begins, shown(form), mended=mended)


def _paths(name: str) -> list[str]:
    ways = [keys for one in name.split("|") for keys in ([one], one.split("."))]
    return list(dict.fromkeys(map(_path, ways)))


def _path(keys: Sequence[str]) -> str:
    return "$" + "".join("['" + key.replace("\\", "\\\\").replace("'", "\\'") + "']" for key in keys)


def _logfmt(form: LineFormat, names: Sequence[str]) -> Splitter:
    text = pl.col("raw").str
    matches = text.contains(r"(?:^|\s)[\w.@/-]+=")
    found = []
    for name in names:
        groups = [
            text.extract_groups(rf'(?:^|\s){re.escape(way)}=(?:"(?P<q>(?:[^"\\]|\\.)*)"|(?P<u>[^\s"]\S*|))')
            for way in name.split("|")
        ]
        quoted = [one.struct.field("q").str.replace_all(r"\\(.)", "$1") for one in groups]
        plain = [one.struct.field("u") for one in groups]
        pairs = [value for pair in zip(quoted, plain, strict=True) for value in pair]
        found.append(pl.coalesce(pairs).alias(name))
    fields = pl.struct(pl.when(matches).then(pl.col("raw")).alias(WHOLE), *found)
    return Splitter(fields, matches, shown(form))


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


def _table(form: LineFormat, header: str, where: str) -> Splitter:
    between, names = form.between, header_of(form, header, where)
    if (extra := f"column{len(names) + 1}") in form.fields:  # a cell more than the header names
        names = [*names, extra]
    known: dict[str, list[int]] = {}
    for name in form.fields:
        known[name] = [names.index(way) for way in name.split("|") if way in names]
        if not known[name] and ("|" not in name or name == form.message):
            raise DataError(f"{where}: has no column {name!r}{suggest(name, names[:20])}")
    wanted = {i for places in known.values() for i in places}
    cells = [cell(i if i in wanted else None, between, form.quote, form.multiline) for i in range(len(names))]
    if extra in names:
        cells[-1] = f"(?:{re.escape(between)}{cells[-1]})?"
    regex = f"(?s)^(?P<{WHOLE}>{re.escape(between).join(cells[: len(names) - (extra in names)])}"
    regex += f"{cells[-1] if extra in names else ''})$"
    try:
        groups = pl.col("raw").str.extract_groups(regex)
    except pl.exceptions.PolarsError:
        raise DataError(f"{where}: its first line has {len(names):,} columns; is it a header?") from None
    fields = pl.struct(
        groups.struct.field(WHOLE),
        *(
            pl.coalesce(*(_cell(groups, i, form.quote) for i in places), pl.lit(None, pl.String)).alias(name)
            for name, places in known.items()
        ),
    )
    begins = pl.col("raw").str.contains("") if form.quote == "none" or not form.multiline else None
    return Splitter(fields, begins, shown(form), between)


def _cell(groups: pl.Expr, number: int, quote: str) -> pl.Expr:
    """The text of a cell: quotes within a quoted one are written twice, and it may go on after the last one."""
    plain = groups.struct.field(f"u{number}")
    if quote == "none":
        return plain
    quoted = groups.struct.field(f"q{number}").str.replace_all('""', '"', literal=True)
    return pl.coalesce(quoted + groups.struct.field(f"t{number}").fill_null(""), plain)


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
