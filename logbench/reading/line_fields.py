"""What an event holds: a `LineFormat` as polars expressions, and what of it can be checked without data."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from ..base.errors import ConfigError, DataError
from ..base.options import suggest
from ..data.line_format import SEPARATORS, LineFormat, regex_of

# `%f` and the sign before it.
FRACTION = re.compile(r"([^\w%])%f")
EPOCHS = {"epoch": 1e6, "epoch_ms": 1e3, "epoch_us": 1.0, "epoch_ns": 1e-3}
# Column that is null where a line does not match.
WHOLE = "whole_line__"
# Where groups of a regular expression begin and end; an escaped sign or a set of signs is passed over.
GROUP_EDGE = re.compile(
    r"\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|(?P<open>\((?:\?P?<(?P<name>\w+)>)?)|(?P<close>\))", re.S
)
SAMPLE = pl.Series("raw", [""], dtype=pl.String)


@dataclass(frozen=True)
class Splitter:
    """How an event is taken apart.

    Attributes:
        fields: of `raw`, a struct of `WHOLE` and the event's fields.
        begins: of `raw`, whether a line begins an event; None: by quotes that are open, as in CSV.
        message: the message, of the fields; null where a matching line has none.
    """

    fields: pl.Expr
    begins: pl.Expr | None
    message: pl.Expr

    def __call__(self, raw: pl.Series) -> pl.Series:
        """A struct column with the fields."""
        return raw.to_frame().select(fields=self.fields)["fields"]

    def starts(self, lines: pl.Series) -> pl.Series:
        """Which lines begin an event."""
        if self.begins is not None:
            return lines.to_frame().select(self.begins).to_series()
        odd = lines.str.count_matches('"', literal=True) % 2
        return (odd.cum_sum() - odd) % 2 == 0


def splitter(form: LineFormat, header: str = "", where: str = "") -> Splitter:
    """How events of a format are taken apart.

    Args:
        header: of CSV, the first line. where: its file, for errors.

    Raises:
        DataError: the header lacks a field.
    """
    if form.format == "json":
        return _json(form)
    if form.format in SEPARATORS:
        return _csv(form, header, where)
    regex = regex_of(form.pattern) if form.format == "pattern" else form.pattern
    whole = f"(?s)(?P<{WHOLE}>{regex})"
    raw = pl.col("raw").str
    return Splitter(raw.extract_groups(whole), raw.contains(whole), named(form.message).fill_null(""))


def _json(form: LineFormat) -> Splitter:
    text = pl.col("raw").str
    whole = text.json_path_match("$")
    is_object = whole.str.starts_with("{").fill_null(False)
    found = [
        pl.coalesce(text.json_path_match(_path([name])), text.json_path_match(_path(name.split(".")))).alias(name)
        for name in form.fields
    ]
    fields = pl.struct(pl.when(is_object).then(whole).alias(WHOLE), *found)
    return Splitter(fields, is_object, named(form.message))


def _path(keys: Sequence[str]) -> str:
    return "$" + "".join("['" + key.replace("\\", "\\\\").replace("'", "\\'") + "']" for key in keys)


def _csv(form: LineFormat, header: str, where: str) -> Splitter:
    separator = SEPARATORS[form.format]
    try:
        names = next(csv.reader([header], delimiter=separator), [])
    except csv.Error as error:
        raise DataError(f"{where}: its first line is no header: {error}") from None
    for name in form.fields:
        if name not in names:
            raise DataError(f"{where}: has no column {name!r}{suggest(name, names[:20])}")
    at = {name: names.index(name) for name in form.fields}
    cells = [f'(?:"{_group("q", i, at)}(?:[^"]|"")*)"|{_group("u", i, at)}[^{separator}"][^{separator}]*|))'
             for i in range(len(names))]  # fmt: skip
    regex = f"(?s)^(?P<{WHOLE}>{separator.join(cells)})$"
    try:
        groups = pl.col("raw").str.extract_groups(regex)
    except pl.exceptions.PolarsError:
        raise DataError(f"{where}: its first line has {len(names):,} columns; is it a header?") from None
    values = [
        pl.coalesce(
            groups.struct.field(f"q{i}").str.replace_all('""', '"', literal=True), groups.struct.field(f"u{i}")
        ).alias(name)
        for name, i in at.items()
    ]
    fields = pl.struct(groups.struct.field(WHOLE), *values)
    return Splitter(fields, None, named(form.message))


def _group(kind: str, number: int, wanted: Mapping[str, int]) -> str:
    return f"(?P<{kind}{number}>" if number in wanted.values() else "(?:"


def private(name: str) -> str:
    """Column of a field, which no other column is called."""
    return name if name == WHOLE else f"field {name}"


def named(name: str) -> pl.Expr:
    return pl.col(private(name)) if name else pl.lit(None, pl.String)


def time_of(form: LineFormat) -> pl.Expr:
    """The time of an event, null where no format fits."""
    text = pl.concat_str([named(name) for name in form.time], separator=" ") if form.time else named("")
    found = [_moment(text, how, form.year) for how in form.time_format]
    return pl.coalesce(*found) if found else pl.lit(None, pl.Datetime("us"))


def _moment(text: pl.Expr, how: str, year: int) -> pl.Expr:
    if how in EPOCHS:
        number = text.str.strip_chars().cast(pl.Float64, strict=False) * EPOCHS[how]
        return number.round().cast(pl.Int64, strict=False).cast(pl.Datetime("us"))
    if year:
        text, how = pl.format("{} {}", pl.lit(str(year)), text), f"%Y {how}"
    if sign := FRACTION.search(how):  # as Python's logging writes it, 12:00:01,250
        text = text.str.replace(rf"^(.*){re.escape(sign[1])}(\d+)", "${1}.$2")
    return text.str.to_datetime(_chrono(how), time_unit="us", strict=False).dt.replace_time_zone(None)


def _chrono(how: str) -> str:
    """A format as polars has it: a fraction of a second is `%.f`."""
    return FRACTION.sub("%.f", how)


def label_of(form: LineFormat) -> pl.Expr:
    """1 anomalous, 0 normal, null where the event has no label, or one that means neither."""
    value = named(form.label).str.strip_chars()
    normal, anomalous = value.is_in(list(form.normal)), value.is_in(list(form.anomalous))
    if form.normal and form.anomalous:
        found = pl.when(anomalous).then(1).when(normal).then(0)
        return found.cast(pl.Int8)
    return (~normal if form.normal else anomalous).cast(pl.Int8)


def _source(name: str, message: pl.Expr) -> pl.Expr:
    """What an id or a group is looked for in."""
    given = {"message": message, "raw": pl.col("raw"), "file": pl.col("file")}
    return given[name] if name in given else named(name)


def group_of(form: LineFormat, message: pl.Expr) -> pl.Expr:
    """The group of an event, null where it has none."""
    source = _source(form.group, message)
    if not form.group_pattern:
        return pl.when(source != "").then(source)
    return source.str.extract(form.group_pattern, 1 if group_names(form.group_pattern) else 0)


def id_of(form: LineFormat, message: pl.Expr) -> pl.Expr:
    """The id of an event, or all of them; null, or an empty list, where it has none."""
    source = _source(form.id, message)
    if not form.id_pattern:
        return pl.when(source != "").then(source)
    if group_names(form.id_pattern):
        return source.str.extract(form.id_pattern, 1)
    return source.str.extract_all(form.id_pattern)


def group_names(regex: str) -> list[str]:
    """Names of the capturing groups of a regular expression."""
    return [name for name in SAMPLE.str.extract_groups(regex).struct.fields if name]


def checked_format(form: LineFormat) -> LineFormat:
    """The same format, with what can be told without data told.

    Raises:
        ConfigError: names the option: a field that the pattern lacks, labels without a rule, an unknown encoding …
    """
    try:
        b"ab".decode(form.encoding, "replace")
    except LookupError:
        raise ConfigError(f"encoding={form.encoding}: Python knows no such encoding") from None
    if not form.message:
        raise ConfigError("message: name the field with the message")
    if form.time and not form.time_format:
        raise ConfigError('time_format: say how times are written, such as "%Y-%m-%d %H:%M:%S" or "epoch"')
    if form.label and not (form.normal or form.anomalous):
        raise ConfigError('normal: say which labels mean normal, such as normal = ["-"], or anomalous = ["1"]')
    _check_label(form)
    if both := set(form.normal) & set(form.anomalous):
        raise ConfigError(f"normal: {sorted(both)[0]!r} is in anomalous too")
    if form.id in ("message", "raw") and not form.id_pattern:
        raise ConfigError(f"id_pattern: an id in the {form.id} needs a regular expression")
    if form.group in ("message", "raw") and not form.group_pattern:
        raise ConfigError(f"group_pattern: a group in the {form.group} needs a regular expression")
    _check_regex("id_pattern", form.id_pattern)
    _check_regex("group_pattern", form.group_pattern)
    if form.format in ("pattern", "regex"):
        _check_fields(form)
    for how in form.time_format:
        _check_time(how, form.year)
    return form


def _check_label(form: LineFormat) -> None:
    """No other column holds the field with the label: parsers, windowers and models would see it."""
    if not form.label:
        return
    whole = [form.label]
    if form.format == "json":  # an object holds what stands at the paths below it
        whole += [form.label[: dot.start()] for dot in re.finditer(r"\.", form.label)]
    columns = [(name, getattr(form, name)) for name in ("message", "level", "component", "node", "id")]
    for name, field in [*columns, *(("time", field) for field in form.time)]:
        if field in whole:
            raise ConfigError(
                f"label={form.label}: {name}={field} holds the label, too; take another field for it"
            )


def _check_time(how: str, year: int) -> None:
    if how in EPOCHS:
        return
    if "%f" in _chrono(how):
        raise ConfigError(f"time_format={how}: %f needs a sign before it, such as .%f")
    try:
        pl.Series([0], dtype=pl.Datetime("us", "UTC")).dt.strftime(_chrono(how).replace("%#z", "%z"))
        SAMPLE.to_frame().select(_moment(pl.col("raw"), how, year))
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0].removeprefix("Invalid format string: ")
        raise ConfigError(
            f"time_format={how}: no strptime format, nor one of {', '.join(EPOCHS)} ({reason})"
        ) from None
    if not year and not re.search(r"%[-_0]?[YyGgCsFDxc+v]", how.replace("%%", "")):
        raise ConfigError(f"time_format={how}: has no year; say which one it is, such as year = 2024")


def _check_regex(option: str, regex: str) -> None:
    try:
        SAMPLE.str.extract_groups(regex)
    except pl.exceptions.PolarsError as error:
        said = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise ConfigError(f"{option}={regex}: no regular expression: {said[-1].removeprefix('error: ')}") from None


def _check_fields(form: LineFormat) -> None:
    regex = regex_of(form.pattern) if form.format == "pattern" else form.pattern
    _check_regex("pattern", regex)
    known = group_names(regex)
    for name in form.fields:
        if name not in known:
            raise ConfigError(f"pattern has no field {name!r}{suggest(name, known)}")
    if around := sorted(_around(regex, form.label) & set(form.fields)):
        raise ConfigError(
            f"pattern: field {around[0]} holds the label {form.label}; end it before, or begin after"
        )


def _around(regex: str, name: str) -> set[str]:
    """Names of the groups of a regular expression that the group `name` stands in."""
    open_groups: list[str] = []
    for token in GROUP_EDGE.finditer(regex):
        if token["name"] and token["name"] == name:
            return set(open_groups)
        if token["open"]:
            open_groups.append(token["name"] or "")
        elif token["close"]:
            open_groups.pop()
    return set()
