"""Reads texts by a `LineFormat`: bounded frames of `Lines` columns, every line accounted for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from ..base.look_ahead import ahead
from ..data.line_format import SEPARATORS, LineFormat
from ..data.lines import LINE_SCHEMA, Lines
from .byte_streams import parse
from .line_counts import Counts
from .line_fields import (
    WHOLE,
    Splitter,
    checked_format,
    group_names,
    group_of,
    id_of,
    label_of,
    named,
    private,
    splitter,
    time_of,
)
from .log_files import LogFile, LogFiles, find_texts
from .multi_line import joined

# Message of an event that is not as declared, where lines carry labels: the whole line would hold its label.
HIDDEN = "(line not as declared)"
Units = Callable[[], pl.DataFrame]


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
    reader = Reader(find_texts(path, patterns, form.encoding), checked_format(form))
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
class Reader:
    """Texts by a format; `counts` are those of the last whole pass that looked at messages."""

    texts: LogFiles
    form: LineFormat
    counts: Mapping[str, int] = field(default_factory=dict)

    def scan(self) -> pl.LazyFrame:
        """Columns as `open_lines` says, lazily."""
        return register_io_source(self._frames, schema=self.schema(), is_pure=True)

    def schema(self) -> dict[str, Any]:
        """Columns and their types."""
        form = self.form
        kept = {"time": form.time, "level": form.level, "component": form.component, "node": form.node}
        kept |= {"label": form.label, "group": form.group}
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
        others = {"grown_files": self.texts.grown, "left_out_members": self.texts.left_out}
        facts = counts.facts() | {name: number for name, number in others.items() if number}
        if "message" in wanted:
            self.counts = facts

    def _numbered(self, counts: Counts) -> Iterator[tuple[str, Splitter, pl.DataFrame]]:
        """Name of the text, how to take its events apart, and events: `line`, `raw`, `at`."""
        for text in self.texts:
            for split, events in self._events(text, counts):
                numbered = events.with_row_index("line", counts.used)
                counts.used += len(events)
                yield text.name, split, numbered

    def _events(self, text: LogFile, counts: Counts) -> Iterator[tuple[Splitter, pl.DataFrame]]:
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
            whole = whole.with_columns(split(events["raw"]).struct.unnest().rename(private))
        declared = pl.when(pl.col(WHOLE).is_not_null()).then(split.message)
        message = pl.coalesce(declared, "raw")
        made = {
            "message": pl.coalesce(declared, pl.lit(HIDDEN)) if form.label else message,
            "level": named(form.level),
            "component": named(form.component),
            "node": named(form.node),
            "time": time_of(form),
            "label": label_of(form),
            "group": group_of(form, message),
            "id": id_of(form, message),
            "matched": pl.col(WHOLE).is_not_null() & split.message.is_not_null(),
        }
        frame = whole.select(made[column].alias(column) if column in made else pl.col(column) for column in wanted)
        unmatched = int(whole.select((~made["matched"]).sum()).item()) if "message" in wanted else 0
        return frame, unmatched, frame["time"].null_count() if "time" in wanted else 0
