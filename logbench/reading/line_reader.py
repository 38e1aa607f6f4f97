"""Reads texts by a `LineFormat`: bounded frames of `Lines` columns, every line accounted for."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from ..base.errors import DataError
from ..base.look_ahead import ahead
from ..data.line_format import LineFormat
from ..data.lines import LINE_SCHEMA, Lines
from .byte_streams import parse
from .line_counts import Counts
from .line_fields import asks_message, checked_format, fields_for, group_of, id_of, key_of, label_of
from .line_patterns import WHOLE, group_names
from .line_times import Calendar, time_of
from .log_files import LogFile, LogFiles, find_texts
from .multi_line import Events, kept
from .rotated import in_turn
from .splitters import TIME, Splitter, named, splitter, without_colours

# Message of an event that is not as declared, where lines carry labels: the whole line would hold its label.
HIDDEN = "(line not as declared)"
# Lines in which the first time of a rotated file is looked for.
LOOKED_AT = 20
# The message of an event, before it is hidden or falls back to the whole line.
DECLARED = "declared message"
# Events from which on those of another file come in a frame of their own.
TOGETHER = 10_000
# Of rows, one in so many are few.
FEW = 8
# Lines that are taken apart at a time.
MOST_LINES = 200_000
Units = Callable[[], pl.DataFrame]


@contextlib.contextmanager
def _missing_named(path: Path) -> Iterator[None]:
    """Say which field the lines lack."""
    try:
        yield
    except pl.exceptions.ColumnNotFoundError as error:
        asked = re.search(r"\"(?:field )?(.*)\"", str(error).partition(";")[0])
        name = asked[1] if asked else "of the definition"
        raise DataError(f"{path}: its lines have no field {name!r}, which is asked for") from None


def open_lines(
    path: Path,
    patterns: Sequence[str],
    form: LineFormat,
    labels: Callable[[Units], pl.DataFrame] | None = None,
    also: Sequence[Path] = (),
) -> Lines:
    """The lines of the files that `patterns` name, see `log_files.find_texts`.

    Columns `line`, `message`, `raw`, `file`, and those that `form` declares of `time`, `level`, `component`,
    `node`, `group`, `id` (String, or List[String]) and `label`. `line` counts events from 0 through all files;
    `at` (UInt32) is the event's first line in its own file, from 1; `matched` (Boolean): it is as declared.

    Args:
        labels: gives the labels by unit (see `Lines.labels`); called with a function that reads the log once more
            and gives its ids, in one column `unit`.
        also: further files for the digest.

    Raises:
        DataError: nothing matches. ConfigError: `form` makes no sense.
    """
    checked = checked_format(form)
    texts = find_texts(path, patterns, form.encoding)
    reader = Reader(_in_turn(texts, checked), checked)
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


def _in_turn(texts: LogFiles, form: LineFormat) -> LogFiles:
    """The same, rotated files in the order in which they were written."""

    def begins(file: Path) -> Any:
        place = texts.files.index(file)
        alone = replace(texts, files=(file,), sizes=(texts.sizes[place],))
        with contextlib.suppress(DataError):
            return Reader(alone, form).scan().select("time").head(LOOKED_AT).collect()["time"].drop_nulls().first()
        return None

    order = in_turn(texts.files, begins if form.time else lambda _: None)
    sizes = dict(zip(texts.files, texts.sizes, strict=True))
    return replace(texts, files=tuple(order), sizes=tuple(sizes[file] for file in order))


@dataclass
class Reader:
    """Texts by a format; `counts` are those of the last whole pass that looked at messages."""

    texts: LogFiles
    form: LineFormat
    counts: Mapping[str, int] = field(default_factory=dict)
    _known: dict[Any, Sequence[Splitter]] = field(default_factory=dict, init=False, repr=False)

    def scan(self) -> pl.LazyFrame:
        """Columns as `open_lines` says, lazily."""
        return register_io_source(self._frames, schema=self.schema(), is_pure=True)

    def schema(self) -> dict[str, Any]:
        """Columns and their types."""
        form = self.form
        own = ("time", "level", "component", "node")
        kept: dict[str, Any] = {name: getattr(form, name) for name in own}
        kept |= {"label": form.label, "group": form.group, "key": key_of(form, named("")) is not None}
        for layer in form.layers[1:]:
            kept |= {name: kept[name] or getattr(layer, name) for name in own}
        schema: dict[str, Any] = {name: dtype for name, dtype in LINE_SCHEMA.items() if kept.get(name, "always")}
        if form.id:
            many = form.id_pattern and not group_names(form.id_pattern)
            schema["id"] = pl.List(pl.String) if many else pl.String()
        return {**schema, "at": pl.UInt32(), "matched": pl.Boolean()}

    def _frames(
        self, columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _: int | None
    ) -> Iterator[pl.DataFrame]:
        wanted = list(self.schema()) if columns is None else columns
        counts, left, calendar = Counts(), n_rows, Calendar(self.form)
        events, by_number = self._numbered(counts, wanted), n_rows is None and self._by_number(predicate)
        if predicate is not None and by_number:  # no other line is taken apart
            events = ((splits, rows) for splits, all_ in events if len(rows := _chosen(all_, predicate)))
        for made, unmatched in ahead(partial(self._columns, wanted), events):
            frame = made
            if "time" in wanted:
                frame = frame.with_columns(calendar.complete(frame["time"]).alias("time"))
                counts.timeless += frame["time"].null_count()
                counts.look_back(frame["time"])
            counts.unmatched += unmatched
            kept = frame if left is None else frame.head(left)
            left = None if left is None else left - len(kept)
            yield kept if predicate is None else _chosen(kept, predicate)
            if left == 0:
                return
        others = {"grown_files": self.texts.grown, "left_out_members": self.texts.left_out}
        facts = counts.facts() | {name: number for name, number in others.items() if number}
        if "message" in wanted and not by_number:
            self.counts = facts

    def _by_number(self, predicate: pl.Expr | None) -> bool:
        """Whether lines are chosen by their number alone, and nothing of the others is needed for their times."""
        untold = self.form.year or self.form.date
        return predicate is not None and not untold and set(predicate.meta.root_names()) == {"line"}

    def _numbered(
        self, counts: Counts, wanted: Sequence[str]
    ) -> Iterator[tuple[Sequence[Splitter], pl.DataFrame]]:
        """How to take events apart, and events: `line`, `raw`, `at`, `file`, texts of the layers.

        Events of small files come together, because each frame costs as much as a thousand lines.
        """
        held: list[pl.DataFrame] = []
        before, rows = None, 0
        for text in self.texts:
            for splits, events in self._events(text, counts, wanted):
                if before is not None and (splits is not before or rows >= TOGETHER):
                    yield before, pl.concat(held)
                    held, rows = [], 0
                first, counts.used = counts.used, counts.used + len(events)
                number = pl.int_range(first, counts.used, dtype=pl.UInt32)
                held.append(events.with_columns(line=number, file=pl.lit(text.name)))
                before, rows = splits, rows + len(events)
        if before is not None:
            yield before, pl.concat(held)

    def _events(
        self, text: LogFile, counts: Counts, wanted: Sequence[str]
    ) -> Iterator[tuple[Sequence[Splitter], pl.DataFrame]]:
        """Events of a text, `raw` as they stand there and `at`, and how to take them apart."""
        if list(wanted) == ["line"] and self._each_line:
            yield from self._counted(text, counts)
            return
        events, before, header = None, 0, self._headless
        for chunk in text.chunks():
            read, replaced = parse(chunk, before + 1)
            lines = pl.DataFrame([read["raw"], read["line"].alias("at")])
            before += len(lines)
            counts.read += len(lines)
            counts.nul += int(lines["raw"].str.contains("\0", literal=True).sum()) if b"\0" in chunk else 0
            counts.undecodable += replaced or self._replaced(lines["raw"])
            lines, header = self._without_header(lines, header, counts)
            if header is None:
                continue
            if events is None:
                events = Events.of(self.form, self._splitters(header, text.stream.name, wanted), counts)
            for part in lines.iter_slices(MOST_LINES):  # a chunk of empty lines has millions
                with _missing_named(self.texts.path):
                    complete = events.feed(part)
                if len(complete):
                    yield events.splits, complete
        if events is not None:
            for rest in events.rest():
                yield events.splits, rest

    @property
    def _each_line(self) -> bool:
        """Whether each line is an event, whatever stands in it."""
        form = self.form
        joins = form.multiline or form.traces or form.pieces or form.records or form.inner
        return not joins and not form.header and self._headless is not None

    def _counted(self, text: LogFile, counts: Counts) -> Iterator[tuple[Sequence[Splitter], pl.DataFrame]]:
        """Events of a text of which only the number is asked for."""
        none: Sequence[Splitter] = self._splitters("", text.stream.name, ["line"])
        for chunk in text.chunks():
            rows = chunk.count(b"\n") + (not chunk.endswith(b"\n"))
            counts.read += rows
            yield none, pl.select(at=pl.repeat(None, rows, dtype=pl.UInt32))

    def _splitters(self, header: str, where: str, wanted: Sequence[str]) -> Sequence[Splitter]:
        """The same for all files of one header."""
        key = header, frozenset(wanted)
        if key not in self._known:
            self._known[key] = splitters(self.form, header, where, wanted)
        return self._known[key]

    @property
    def _headless(self) -> str | None:
        """What stands for the header of a format that has none; None where the text tells it."""
        return None if self.form.between and not self.form.columns else ""

    def _without_header(
        self, lines: pl.DataFrame, header: str | None, counts: Counts
    ) -> tuple[pl.DataFrame, str | None]:
        """The lines that are events, and the header as soon as it is known."""
        if begin := self.form.header:
            comments = lines["raw"].str.starts_with(begin[0])
            if header is None and len(found := lines["raw"].filter(lines["raw"].str.starts_with(begin))):
                header = found[0]
            counts.rejected += int(comments.sum()) if header is not None else len(lines)
            return lines.filter(~comments), header
        if header is None and len(lines):
            counts.rejected += 1
            return lines.slice(1), lines["raw"][0]
        return lines, header

    def _replaced(self, raw: pl.Series) -> int:
        """Lines with a character that the encoding could not read; a real U+FFFD counts too."""
        return (
            0 if self.form.encoding in ("utf-8", "utf8") else int(raw.str.contains("\ufffd", literal=True).sum())
        )

    def _columns(
        self, wanted: Sequence[str], item: tuple[Sequence[Splitter], pl.DataFrame]
    ) -> tuple[pl.DataFrame, int]:
        """The columns `wanted` of an item of `_numbered`, and the events that do not match."""
        splits, whole = item
        if not set(wanted) - {"line", "raw", "file", "at"}:
            return whole.select(wanted), 0
        with _missing_named(self.texts.path):
            whole = self._fields(splits, whole, asks_message(self.form, wanted))
            return self._made(wanted, splits, whole)

    def _made(
        self, wanted: Sequence[str], splits: Sequence[Splitter], whole: pl.DataFrame
    ) -> tuple[pl.DataFrame, int]:
        form = self.form
        declared = pl.col(DECLARED)
        message = pl.coalesce(declared, "raw")
        made: dict[str, pl.Expr] = {
            "message": pl.coalesce(declared, pl.lit(HIDDEN)) if form.label else message,
            **self._own(splits),
            "label": label_of(form),
            "group": group_of(form, message),
            "id": id_of(form, message),
            "key": pl.lit(None, pl.String) if (key := key_of(form, message)) is None else key,
            "matched": pl.col(WHOLE).is_not_null() & declared.is_not_null(),
        }
        frame = whole.select(made[column].alias(column) if column in made else pl.col(column) for column in wanted)
        unmatched = int(whole.select((~made["matched"]).sum()).item()) if "message" in wanted else 0
        return frame, unmatched

    def _fields(self, splits: Sequence[Splitter], whole: pl.DataFrame, message: bool) -> pl.DataFrame:
        """The fields of an event and its message `DECLARED`; of inner formats what they declare, numbered.

        Args:
            message: whether it is asked for.
        """
        found = _taken(splits[0], whole, 0)
        if not message and len(splits) == 1:
            return whole.with_columns(found)
        declared = pl.when(pl.col(WHOLE).is_not_null()).then(splits[0].message)
        whole = whole.with_columns(found).with_columns(declared.alias(DECLARED))
        for place, (layer, split) in enumerate(zip(self.form.layers, splits, strict=True)):
            if place:
                inside = _taken(split, whole, place)
                own = inside.select(
                    pl.when(pl.col(WHOLE).is_not_null()).then(split.message).alias("message"),
                    level=named(layer.level),
                    component=named(layer.component),
                    node=named(layer.node),
                    time=pl.lit(None, pl.Datetime("us")) if self.form.time else time_of(layer, named),
                )
                new = [column for column in inside.columns if column not in whole.columns]
                old = [column for column in inside.columns if column in whole.columns and column != WHOLE]
                whole = whole.with_columns(pl.coalesce(pl.col(column), inside[column]) for column in old)
                whole = whole.with_columns(inside[column] for column in new)
                whole = whole.with_columns(own[column].alias(f"{column} {place}") for column in own.columns)
                whole = whole.with_columns(
                    pl.coalesce(f"message {place}", f"text{place}", DECLARED).alias(DECLARED)
                )
        if (last := f"text{len(splits)}") in whole.columns:
            whole = whole.with_columns(pl.coalesce(last, DECLARED).alias(DECLARED))
        return whole.with_columns(without_colours(whole[DECLARED]))

    def _own(self, splits: Sequence[Splitter]) -> dict[str, pl.Expr]:
        """Time and node, of the outermost format that has them, level and component, of the innermost one."""
        form, inner = self.form, range(1, len(splits))
        time = time_of(form, named) if splits[0].times is None or inner else pl.col(TIME)
        outside = {"time": time, "node": named(form.node)}
        inside = {"level": named(form.level), "component": named(form.component)}
        columns = {name: pl.coalesce(expr, *(f"{name} {i}" for i in inner)) for name, expr in outside.items()}
        return columns | {
            name: pl.coalesce(*(f"{name} {i}" for i in reversed(inner)), expr) for name, expr in inside.items()
        }


def _chosen(frame: pl.DataFrame, predicate: pl.Expr) -> pl.DataFrame:
    """Its rows that are asked for; few have texts of their own, since views would keep all bytes of the chunk."""
    rows = frame.filter(predicate)
    return rows if len(rows) > len(frame) // FEW else rows.with_columns(pl.col(pl.String) + "")


def _taken(split: Splitter, whole: pl.DataFrame, place: int) -> pl.DataFrame:
    """The fields of a layer: those that were kept of the first lines of events, of several lines those of all."""
    text = whole[f"text{place}" if f"text{place}" in whole.columns else "raw"]
    names = [name for name in whole.columns if name.startswith(kept(place, ""))]
    if not names:
        return split(text)
    found = whole.select(pl.col(name).alias(name.removeprefix(kept(place, ""))) for name in names)
    if not len(several := text.str.contains("\n", literal=True).fill_null(False).arg_true()):
        return found
    some = text.gather(several)
    more = split(some) if split.times is None else split.early(split.times, some)
    return found.with_columns(found[name].scatter(several, more[name]) for name in found.columns)


def splitters(
    form: LineFormat, header: str = "", where: str = "", columns: Sequence[str] | None = None
) -> list[Splitter]:
    """How each layer of a format is taken apart, see `splitter`.

    Args:
        columns: those of events that are asked for; None: all.
    """
    outer, *inner = form.layers
    plain = not (inner or form.pieces or form.traces)  # others need their messages before
    wanted = fields_for(form, columns) if plain and columns is not None else None
    return [splitter(outer, header, where, wanted=wanted), *(splitter(one, also=form.fields) for one in inner)]
