"""Merge lines that were encoded in shards into what one pass over the whole log gives, to the bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..base.errors import DataError, IncompatibleError
from ..data.event_buffer import EventBuffer
from .encoded_lines import EncodedLines, NoUnitError
from .line_clock import LineClock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

# Lines that numbers of lines (uint32) can tell apart.
MOST_LINES = 1 << 32


@dataclass(frozen=True)
class EncodedShard:
    """`EncodedLines` of a shard, its lines numbered from 0, in a form that travels.

    Attributes:
        columns: of the events, see `EncodedLines.buffer`; none where no line belongs to a unit.
        facts: counts of the reader.
    """

    columns: Mapping[str, NDArray[Any]]
    units: pl.Series
    shapes: pl.Series
    lines: int
    without: int
    first_time: int | None
    last_time: int
    facts: Mapping[str, int]

    @classmethod
    def of(cls, read: EncodedLines, facts: Mapping[str, int]) -> EncodedShard:
        """What was read of a shard.

        Raises:
            IncompatibleError: its units have groups.
        """
        if read.groups is not None:
            raise IncompatibleError("units of groups cannot be read in shards")
        chunks = list(read.buffer)
        names = chunks[0] if chunks else ()
        columns = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in names}
        return cls(
            columns, read.units, read.shapes, read.lines, read.without, read.first_time, read.last_time, facts
        )


def merged(shards: Sequence[Callable[[], EncodedShard]]) -> tuple[EncodedLines, dict[str, int]]:
    """The whole log, and the sums of the readers' counts.

    Units and shapes are numbered in first-seen order over all shards, and a line without a time has that of the
    line before it, in whatever shard that is.

    Args:
        shards: each gives a shard, in order; they are read twice and kept one at a time.

    Raises:
        DataError: there are more lines than can be numbered, or none belongs to a unit.
    """
    names = [(shard.units, shard.shapes) for shard in (give() for give in shards)]
    units, shapes = (_names(parts) for parts in zip(*names, strict=True))
    buffer, sizes = EventBuffer(), np.zeros(len(units), dtype=np.int64)
    lines = without = 0
    first, last = None, LineClock.UNKNOWN
    facts: dict[str, int] = {}
    for give in shards:
        shard = give()
        if lines + shard.lines > MOST_LINES:
            raise DataError(f"more than {MOST_LINES:,} lines; give the log in parts")
        if shard.columns:
            columns = dict(shard.columns)
            columns["unit"] = _numbers(shard.units, units)[columns["unit"]]
            columns["shape"] = _numbers(shard.shapes, shapes)[columns["shape"]]
            columns["line"] = columns["line"] + np.uint32(lines)
            if "time" in columns:
                columns["time"] = np.where(columns["time"] == LineClock.UNKNOWN, last, columns["time"])
            buffer.add(**columns)
            sizes += np.bincount(columns["unit"], minlength=len(units))
        lines, without = lines + shard.lines, without + shard.without
        first = shard.first_time if first is None else first
        last = last if shard.last_time == LineClock.UNKNOWN else shard.last_time
        for name, count in shard.facts.items():
            facts[name] = facts.get(name, 0) + count
    read = EncodedLines(buffer, sizes, units, shapes, lines, without, first, last_time=last)
    if not buffer.events:
        raise NoUnitError(read)
    return read, facts


def _names(parts: Sequence[pl.Series]) -> pl.Series:
    """Distinct names in first-seen order."""
    whole = pl.concat([part.alias("name") for part in parts])
    return whole.unique(maintain_order=True)


def _numbers(names: pl.Series, whole: pl.Series) -> NDArray[np.int32]:
    """The number of each name in `whole`, int32 [names]."""
    known = whole.alias("name").to_frame().with_row_index("number")
    found = names.alias("name").to_frame().join(known, on="name", how="left", maintain_order="left")["number"]
    return found.cast(pl.Int32).to_numpy()
