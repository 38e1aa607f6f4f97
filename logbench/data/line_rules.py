"""Lines that marks take apart, and no regular expression: read by polars, or by the compiled kernel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import polars as pl


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
        """Columns of `source`, `message` (String), `id` (List[String]), `time` (null where it cannot be read)."""
        raw = pl.col("raw")
        return self.source.scan().with_columns(
            message=raw.str.splitn(self.after, 2).struct.field("field_1").fill_null(raw),
            id=raw.str.extract_all(self.id_pattern),
            time=self.time_of(raw.str.slice(0, self.stamp)),
        )

    def time_of(self, stamp: pl.Expr) -> pl.Expr:
        """The time of a stamp, Datetime."""
        return stamp.str.to_datetime(self.time_format, strict=False, time_unit="us")
