"""Which rows make an event together: from where one begins to the next, each stream for itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)
Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]
# Column with what pieces of one message have in common.
STREAM = "stream"
# Lines of other streams after which an event goes on no more.
WAIT = 200


@dataclass(frozen=True)
class InStreams:
    """Rows stream by stream.

    Attributes:
        order: int64 [rows], all rows, one stream after the other.
        new: bool [rows] in that order, the first of a stream. far: the one before in its stream is too far away.
    """

    order: Numbers
    new: Flags
    far: Flags

    @classmethod
    def of(cls, rows: pl.DataFrame) -> InStreams:
        """Rows with `at`; and with `end`, the last line of each, where there are streams."""
        order, new, far = np.arange(len(rows)), np.zeros(len(rows), dtype=bool), np.zeros(len(rows), dtype=bool)
        new[:1] = True
        if STREAM in rows.columns:
            codes = rows[STREAM].cast(pl.Categorical).to_physical().cast(pl.Int64).fill_null(-1).to_numpy()
            order = np.argsort(codes, kind="stable")
            at, end = (rows[name].to_numpy().astype(np.int64)[order] for name in ("at", "end"))
            new[1:] = np.diff(codes[order]) != 0
            far[1:] = at[1:] - end[:-1] > WAIT
        return cls(order, new, far & ~new)


@dataclass(frozen=True)
class EventRows:
    """Rows as events, in the order of `InStreams`.

    Attributes:
        starts, ends: int64 [events], where the first and the last row of each stand in `order`.
        sizes: int64 [events]. last: bool [events], the last one of its stream.
    """

    order: Numbers
    starts: Numbers
    ends: Numbers
    sizes: Numbers
    last: Flags

    @classmethod
    def of(cls, rows: InStreams, begins: Flags, sizes: Numbers, longest: int) -> EventRows:
        """Events of some rows.

        Args:
            begins: whether a row begins an event, in the order of `rows`, as `sizes` are.
            longest: the row after one with which an event has grown larger begins the next, whatever it is.
        """
        begins = begins | rows.new | rows.far
        starts = np.flatnonzero(begins)
        large = np.flatnonzero(np.add.reduceat(sizes, starts) > longest)
        for begin, end in zip(starts[large], np.append(starts, len(begins))[large + 1], strict=True):
            size = 0
            for row in range(begin, end):
                if size > longest:
                    begins[row], size = True, 0
                size += sizes[row]
        starts = np.flatnonzero(begins) if len(large) else starts
        ends = np.append(starts[1:], len(begins)) - 1
        return cls(rows.order, starts, ends, np.add.reduceat(sizes, starts), np.append(rows.new[starts[1:]], True))

    @property
    def first(self) -> Numbers:
        """The row with which the event of each row begins, int64 [rows]."""
        return self.of_rows(self.order[self.starts])

    def of_rows(self, values: NDArray[T]) -> NDArray[T]:
        """Values of events, for each row."""
        rows = np.empty(len(self.order), dtype=values.dtype)
        rows[self.order] = np.repeat(values, self.ends - self.starts + 1)
        return rows
