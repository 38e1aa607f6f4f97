"""Reads texts by a `LineFormat`: bounded frames of `Lines` columns, every line accounted for."""

from __future__ import annotations

import csv
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
from polars.io.plugins import register_io_source

from .config import suggest
from .errors import ConfigError, DataError
from .frames import LINE_SCHEMA, Lines
from .lineformat import SEPARATORS, LineFormat, regex_of
from .streams import parse
from .texts import Text, Texts, find_texts

LONGEST_ENTRY = 1 << 20
"""Bytes of a multi-line event from which on the next line begins a new one, whatever it is."""
EPOCHS = {"epoch": 1e6, "epoch_ms": 1e3, "epoch_us": 1.0, "epoch_ns": 1e-3}
WHOLE = "whole_line__"
"""Column that is null where a line does not match."""
SAMPLE = pl.Series("raw", [""], dtype=pl.String)
T = TypeVar("T")
U = TypeVar("U")
WORKERS = min(8, os.cpu_count() or 1)
"""Frames taken apart side by side: a regular expression runs on one core."""
Units = Callable[[], pl.DataFrame]


def open_lines(
    path: Path,
    patterns: Sequence[str],
    form: LineFormat,
    labels: Callable[[Units], pl.DataFrame] | None = None,
    also: Sequence[Path] = (),
) -> Lines:
    """The lines of the files that `patterns` name, see `texts.find_texts`.

    Columns `line`, `message`, `raw`, `file`, and those that `form` declares of `time`, `level`, `component`,
    `node`, `id` (String, or List[String]) and `label`. `line` counts events from 0 through all files; `at`
    (UInt32) is the event's first line in its own file, from 1; `matched` (Boolean): it is as declared.

    Args:
        labels: gives the labels by unit (see `Lines.labels`); called with a function that reads the log once more
            and gives its ids, in one column `unit`.
        also: further files for the digest.

    Raises:
        DataError: nothing matches. ConfigError: `form` makes no sense.
    """
    reader = Reader(find_texts(path, patterns, form.encoding), checked(form))
    frame = reader.scan()

    def units() -> pl.DataFrame:
        ids = frame.select(unit="id").collect(engine="streaming")
        single = ids.explode("unit", empty_as_null=True) if ids["unit"].dtype == pl.List else ids
        return single.drop_nulls().unique(maintain_order=True)

    return Lines(
        frame,
        files=[*reader.texts.files, *also],
        labels=None if labels is None else lambda: labels(units),
        counted=lambda: reader.counts,
        form=form,
    )


@dataclass
class Counts:
    """Lines of a pass: `read` = `used` + `joined` + `rejected`."""

    read: int = 0
    used: int = 0
    joined: int = 0
    rejected: int = 0
    unmatched: int = 0
    undecodable: int = 0
    nul: int = 0
    timeless: int = 0

    def facts(self) -> dict[str, int]:
        """By name, those that are not zero; `file_lines` where not every line is an event.

        Raises:
            AssertionError: a line was lost.
        """
        if self.read != self.used + self.joined + self.rejected:
            raise AssertionError(f"lines in must be lines used + joined + rejected: {self}")
        named = {
            "file_lines": self.read if self.read != self.used else 0,
            "joined_lines": self.joined,
            "header_lines": self.rejected,
            "unmatched_lines": self.unmatched,
            "undecodable_lines": self.undecodable,
            "lines_with_nul": self.nul,
            "lines_with_unread_time": self.timeless,
        }
        return {name: number for name, number in named.items() if number}


@dataclass
class Reader:
    """Texts by a format; `counts` are those of the last whole pass that looked at messages."""

    texts: Texts
    form: LineFormat
    counts: Mapping[str, int] = field(default_factory=dict)

    def scan(self) -> pl.LazyFrame:
        """Columns as `open_lines` says, lazily."""
        return register_io_source(self._frames, schema=self.schema(), is_pure=True)

    def schema(self) -> dict[str, Any]:
        """Columns and their types."""
        form = self.form
        kept = {"time": form.time, "level": form.level, "component": form.component, "node": form.node}
        kept |= {"label": form.label}
        schema: dict[str, Any] = {name: dtype for name, dtype in LINE_SCHEMA.items() if kept.get(name, "always")}
        if form.id:
            many = form.id_pattern and not group_names(form.id_pattern)
            schema["id"] = pl.List(pl.String) if many else pl.String()
        return {**schema, "at": pl.UInt32(), "matched": pl.Boolean()}

    def _frames(
        self, columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _: int | None
    ) -> Iterator[pl.DataFrame]:
        wanted = list(self.schema()) if columns is None else columns
        counts, left = Counts(), n_rows
        for frame, unmatched, timeless in ahead(partial(self._columns, wanted), self._numbered(counts)):
            counts.unmatched += unmatched
            counts.timeless += timeless
            kept = frame if left is None else frame.head(left)
            left = None if left is None else left - len(kept)
            yield kept if predicate is None else kept.filter(predicate)
            if left == 0:
                return
        facts = counts.facts() | ({"grown_files": grown} if (grown := self.texts.grown) else {})
        if "message" in wanted:
            self.counts = facts

    def _numbered(self, counts: Counts) -> Iterator[tuple[str, Splitter, pl.DataFrame]]:
        """Name of the text, how to take its events apart, and events: `line`, `raw`, `at`."""
        for text in self.texts:
            for split, events in self._events(text, counts):
                numbered = events.with_row_index("line", counts.used)
                counts.used += len(events)
                yield text.name, split, numbered

    def _events(self, text: Text, counts: Counts) -> Iterator[tuple[Splitter, pl.DataFrame]]:
        """Events of a text, `raw` as they stand there and `at`, and how to take them apart."""
        split = None if self.form.format in SEPARATORS else splitter(self.form)
        carry, before = None, 0
        for chunk in text.chunks():
            read, replaced = parse(chunk, before + 1)
            lines = read.select("raw", at="line")
            before += len(lines)
            counts.read += len(lines)
            counts.nul += int(lines["raw"].str.contains("\0", literal=True).sum())
            counts.undecodable += replaced or self._replaced(lines["raw"])
            if split is None:
                split = splitter(self.form, lines["raw"][0], text.stream.name)
                counts.rejected += 1
                lines = lines.slice(1)
            if self.form.multiline:
                lines, carry = joined(lines, carry, split, counts)
            if len(lines):
                yield split, lines
        if split is not None and carry is not None:
            yield split, carry

    def _replaced(self, raw: pl.Series) -> int:
        """Lines with a character that the encoding could not read; a real U+FFFD counts too."""
        return (
            0 if self.form.encoding in ("utf-8", "utf8") else int(raw.str.contains("\ufffd", literal=True).sum())
        )

    def _columns(
        self, wanted: Sequence[str], item: tuple[str, Splitter, pl.DataFrame]
    ) -> tuple[pl.DataFrame, int, int]:
        """The columns `wanted` of an item of `_numbered`; events that do not match and those without a time."""
        name, split, events = item
        form = self.form
        whole = events.with_columns(file=pl.lit(name))
        if set(wanted) - {"line", "raw", "file", "at"}:
            whole = whole.with_columns(split(events["raw"]).struct.unnest().rename(_private))
        message = pl.coalesce(pl.when(pl.col(WHOLE).is_not_null()).then(split.message), "raw")
        made = {
            "message": message,
            "level": _named(form.level),
            "component": _named(form.component),
            "node": _named(form.node),
            "time": time_of(form),
            "label": label_of(form),
            "id": id_of(form, message),
            "matched": pl.col(WHOLE).is_not_null() & split.message.is_not_null(),
        }
        frame = whole.select(made[column].alias(column) if column in made else pl.col(column) for column in wanted)
        unmatched = int(whole.select((~made["matched"]).sum()).item()) if "message" in wanted else 0
        return frame, unmatched, frame["time"].null_count() if "time" in wanted else 0


def joined(
    lines: pl.DataFrame, carry: pl.DataFrame | None, split: Splitter, counts: Counts
) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """Events of lines, and the last one, which further lines may belong to.

    Args:
        lines: columns `raw` and `at`.
        carry: the event before, one row, open still.
    """
    whole = lines if carry is None else pl.concat([carry, lines])
    if not len(whole):
        return whole, None
    starts = split.starts(whole["raw"])
    number = (starts if carry is None else _first(starts)).cum_sum()
    events = whole.group_by(number.alias("number"), maintain_order=True).agg(
        pl.col("raw").str.join("\n"), pl.col("at").first()
    )
    counts.joined += len(whole) - len(events)
    events = events.select("raw", "at")
    if events["raw"].tail(1).str.len_bytes()[0] > LONGEST_ENTRY:
        return events, None
    return events.head(-1), events.tail(1)


def _first(starts: pl.Series) -> pl.Series:
    """The same with a start in the first row."""
    return pl.concat([pl.Series([True]), starts.slice(1)])


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


def ahead(function: Callable[[T], U], items: Iterable[T]) -> Iterator[U]:
    """`function` of each item, in order, made in threads a few items ahead."""
    waiting: deque[Future[U]] = deque()
    pool = ThreadPoolExecutor(WORKERS)
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > WORKERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:  # a pass that stops early may be cleared away in one of these threads, which cannot wait for itself
        pool.shutdown(wait=False, cancel_futures=True)


class Pieces:
    """A log that comes piece by piece, cut so that each piece reads like a whole file.

    A CSV header stands before every piece, and with `multiline` the last event waits until the next one begins.
    """

    def __init__(self, form: LineFormat) -> None:
        self._form = form
        self._header: bytes | None = None if form.format in SEPARATORS else b""
        self._held = b""

    def take(self, lines: bytes) -> bytes:
        """What can be read now of all that came, `lines` among it; they end where a line does."""
        if self._header is None:
            header, _, lines = lines.partition(b"\n")
            self._header = header + b"\n"
        if not self._form.multiline:
            return self._whole(lines)
        text = self._held + lines
        cut = self._last_begin(text) or (len(text) if len(text) > LONGEST_ENTRY else 0)
        self._held = text[cut:]
        return self._whole(text[:cut])

    def rest(self) -> bytes:
        """The event that waits; nothing more of it will come."""
        held, self._held = self._held, b""
        return self._whole(held)

    def _whole(self, lines: bytes) -> bytes:
        return (self._header or b"") + lines if lines else b""

    def _last_begin(self, text: bytes) -> int:
        """Offset of the last line that begins an event."""
        lines = text.removesuffix(b"\n").split(b"\n")
        read = [line.decode(self._form.encoding, "replace").removesuffix("\r") for line in lines]
        split = splitter(self._form, (self._header or b"").decode(self._form.encoding, "replace").strip("\r\n"))
        begins = split.starts(pl.Series("raw", read, dtype=pl.String)).arg_true()
        last = int(begins[-1]) if len(begins) else 0
        return sum(len(line) + 1 for line in lines[:last])


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
    return Splitter(raw.extract_groups(whole), raw.contains(whole), _named(form.message).fill_null(""))


def _json(form: LineFormat) -> Splitter:
    text = pl.col("raw").str
    whole = text.json_path_match("$")
    is_object = whole.str.starts_with("{").fill_null(False)
    found = [
        pl.coalesce(text.json_path_match(_path([name])), text.json_path_match(_path(name.split(".")))).alias(name)
        for name in form.fields
    ]
    fields = pl.struct(pl.when(is_object).then(whole).alias(WHOLE), *found)
    return Splitter(fields, is_object, _named(form.message))


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
    return Splitter(fields, None, _named(form.message))


def _group(kind: str, number: int, wanted: Mapping[str, int]) -> str:
    return f"(?P<{kind}{number}>" if number in wanted.values() else "(?:"


def _private(name: str) -> str:
    """Column of a field, which no other column is called."""
    return name if name == WHOLE else f"field {name}"


def _named(name: str) -> pl.Expr:
    return pl.col(_private(name)) if name else pl.lit(None, pl.String)


def time_of(form: LineFormat) -> pl.Expr:
    """The time of an event, null where no format fits."""
    text = pl.concat_str([_named(name) for name in form.time], separator=" ") if form.time else _named("")
    found = [_moment(text, how, form.year) for how in form.time_format]
    return pl.coalesce(*found) if found else pl.lit(None, pl.Datetime("us"))


def _moment(text: pl.Expr, how: str, year: int) -> pl.Expr:
    if how in EPOCHS:
        number = text.str.strip_chars().cast(pl.Float64, strict=False) * EPOCHS[how]
        return number.round().cast(pl.Int64, strict=False).cast(pl.Datetime("us"))
    if year:
        text, how = pl.format("{} {}", pl.lit(str(year)), text), f"%Y {how}"
    if ",%f" in how:  # as Python's logging writes it
        text = text.str.replace(r",(\d+)", ".$1")
    return text.str.to_datetime(_chrono(how), time_unit="us", strict=False).dt.replace_time_zone(None)


def _chrono(how: str) -> str:
    """A format as polars has it: a fraction of a second is `%.f`."""
    return how.replace(",%f", "%.f").replace(".%f", "%.f")


def label_of(form: LineFormat) -> pl.Expr:
    """1 anomalous, 0 normal, null where the event has no label, or one that means neither."""
    value = _named(form.label).str.strip_chars()
    normal, anomalous = value.is_in(list(form.normal)), value.is_in(list(form.anomalous))
    if form.normal and form.anomalous:
        found = pl.when(anomalous).then(1).when(normal).then(0)
        return found.cast(pl.Int8)
    return (~normal if form.normal else anomalous).cast(pl.Int8)


def id_of(form: LineFormat, message: pl.Expr) -> pl.Expr:
    """The id of an event, or all of them; null, or an empty list, where it has none."""
    source = {"message": message, "raw": pl.col("raw"), "file": pl.col("file")}.get(form.id)
    source = _named(form.id) if source is None else source
    if not form.id_pattern:
        return pl.when(source != "").then(source)
    if group_names(form.id_pattern):
        return source.str.extract(form.id_pattern, 1)
    return source.str.extract_all(form.id_pattern)


def group_names(regex: str) -> list[str]:
    """Names of the capturing groups of a regular expression."""
    return [name for name in SAMPLE.str.extract_groups(regex).struct.fields if name]


def checked(form: LineFormat) -> LineFormat:
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
    if both := set(form.normal) & set(form.anomalous):
        raise ConfigError(f"normal: {sorted(both)[0]!r} is in anomalous too")
    if form.id in ("message", "raw") and not form.id_pattern:
        raise ConfigError(f"id_pattern: an id in the {form.id} needs a regular expression")
    _check_regex("id_pattern", form.id_pattern)
    if form.format in ("pattern", "regex"):
        _check_fields(form)
    for how in form.time_format:
        try:
            pl.Series([0], dtype=pl.Datetime("us", "UTC")).dt.strftime(_chrono(how).replace("%#z", "%z"))
        except pl.exceptions.PolarsError:
            raise ConfigError(f"time_format={how}: no strptime format, nor one of {', '.join(EPOCHS)}") from None
    return form


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
