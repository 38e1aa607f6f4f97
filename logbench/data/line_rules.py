"""Lines that marks take apart, and no regular expression: read by polars, or by the compiled kernel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import polars as pl
from polars.io.plugins import register_io_source

# What a source gives.
SCANNED: dict[str, pl.DataType] = {"line": pl.UInt32(), "raw": pl.String()}


class LineSource(Protocol):
    """Where lines come from, such as a `Member`; each call reads anew."""

    def scan(self) -> pl.LazyFrame:
        """Columns `line` (UInt32, from 0) and `raw` (String)."""

    def valid(self) -> Iterator[bytes]:
        """The same lines as valid UTF-8, cut after line ends."""


@dataclass(frozen=True)
class LineRules:
    """How lines of one form hold message, ids and time.

    `frame` has them as columns. Where the kernel was built and the windower groups by `id`, it reads `source` by
    the same rules, several times as fast.

    Attributes:
        source: gives the lines, see `open_layout`.
        after: the message begins after the first of these; a line without them is its own message.
        id_pattern: regular expression of polars for ids, looked for in the whole line.
        stamp: characters at the line's begin that hold its time.
        time_format: the time's format, as strptime has it.

    Example:

        source = open_layout(path, ["HDFS.log"])["HDFS.log"]
        rules = LineRules(source, ": ", "blk_-?[0-9]+", 13, "%y%m%d %H%M%S")
        lines = Lines(rules.frame, rules=rules)
    """

    source: LineSource
    after: str
    id_pattern: str
    stamp: int
    time_format: str

    @cached_property
    def frame(self) -> pl.LazyFrame:
        """Columns `line` and `raw` of `source`, `message` (String), `id` (List[String]) and `time` (null where it
        cannot be read).

        `source.scan()` is called when the frame is collected, because it may read a whole file to see how.
        """
        schema = self._taken_apart(pl.LazyFrame(schema=SCANNED)).collect_schema()
        return register_io_source(self._frames, schema=schema, is_pure=True)

    def _frames(
        self, columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, size: int | None
    ) -> Iterator[pl.DataFrame]:
        found = self._taken_apart(self.source.scan())
        if n_rows is not None:
            found = found.head(n_rows)
        if predicate is not None:
            found = found.filter(predicate)
        if columns is not None:
            found = found.select(columns)
        return found.collect_batches(chunk_size=size, maintain_order=True)

    def _taken_apart(self, scanned: pl.LazyFrame) -> pl.LazyFrame:
        raw = pl.col("raw")
        return scanned.with_columns(
            message=raw.str.splitn(self.after, 2).struct.field("field_1").fill_null(raw),
            id=raw.str.extract_all(self.id_pattern),
            time=self.time_of(raw.str.slice(0, self.stamp)),
        )

    def time_of(self, stamp: pl.Expr) -> pl.Expr:
        """The time of a stamp, Datetime."""
        return stamp.str.to_datetime(self.time_format, strict=False, time_unit="us")
