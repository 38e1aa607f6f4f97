"""Join lines to events of several lines, such as a stack trace."""

from __future__ import annotations

import polars as pl

from .line_counts import Counts
from .line_fields import Splitter

# Bytes of an event from which on the next line begins a new one, whatever it is.
LONGEST_ENTRY = 1 << 20


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
