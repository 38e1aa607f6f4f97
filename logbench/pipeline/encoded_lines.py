"""Lines of one pass as integers, and their collector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..base.errors import DataError
from ..data.event_buffer import EventBuffer
from .line_clock import LineClock

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class EncodedLines:
    """Coded lines of one pass over the files, in reading order.

    Attributes:
        buffer: columns `unit` and `shape` (int32, numbers of `units` and `shapes`), `line` (uint32), and where
            known `time` (int64, microseconds since 1970) and `label` (int8). A line of several units stands once
            for each.
        sizes: int64 [units], events of each unit.
        units, shapes: String, names in first-seen order.
        lines: lines read: those of a unit, and those of none. without: the latter.
        first_time: what a line has before any that has a time. last_time: of the last line; `LineClock.UNKNOWN`
            where no line has one.
        groups: String [units], the group of each unit's first line; None where lines have no groups. mixed: units
            with lines of several groups.
    """

    buffer: EventBuffer
    sizes: NDArray[np.int64]
    units: pl.Series
    shapes: pl.Series
    lines: int
    without: int
    first_time: int | None
    groups: pl.Series | None = None
    mixed: int = 0
    last_time: int = LineClock.UNKNOWN


def no_line(files: Sequence[Path]) -> DataError:
    """The error of files without a line."""
    where = ", ".join(map(str, files)) or "the data set"
    return DataError(f"{where}: no line to read; is the file empty?")


class NoUnitError(DataError):
    """No line belongs to a unit.

    Attributes:
        read: the lines, none of which is an event.
    """

    def __init__(self, read: EncodedLines) -> None:
        self.read = read
        super().__init__(
            f"no line of {read.without:,} belongs to a unit: wrong data set or windower for this log?"
        )


class Events:
    """Collects coded events, batch by batch."""

    def __init__(self) -> None:
        self.buffer = EventBuffer()
        self._sizes = np.zeros(0, dtype=np.int64)

    def add(self, units: int, unit: NDArray[np.int32], **columns: NDArray[Any]) -> None:
        """Add events of the buffer's columns, at least one.

        Args:
            units: how many units there are by now.
        """
        if units > len(self._sizes):
            more = np.zeros(max(units, 2 * len(self._sizes)) - len(self._sizes), dtype=np.int64)
            self._sizes = np.concatenate([self._sizes, more])
        np.add.at(self._sizes, unit, 1)
        self.buffer.add(unit=unit, **columns)

    def done(
        self,
        units: pl.Series,
        shapes: pl.Series,
        lines: int,
        without: int,
        first_time: int | None,
        groups: pl.Series | None = None,
        mixed: int = 0,
        *,
        last_time: int,
    ) -> EncodedLines:
        """All of them, see `EncodedLines`.

        Raises:
            DataError: no line belongs to a unit.
        """
        sizes = self._sizes[: len(units)]
        read = EncodedLines(
            self.buffer, sizes, units, shapes, lines, without, first_time, groups, mixed, last_time
        )
        if not self.buffer.events:
            raise NoUnitError(read)
        return read
