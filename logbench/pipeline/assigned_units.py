"""Check a windower's answer: every line, in order, once for each of its units, and no other line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ..base.errors import PluginError
from .windower_input import WindowerInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEEP = 'a line without a unit must keep a null unit (`.explode("unit", empty_as_null=True)`)'


class AssignedUnits:
    """Checks the answer of a windower batch by batch.

    Attributes:
        last: number of the last line that the windower returned.
    """

    def __init__(self, given: WindowerInput) -> None:
        self.given = given
        self.last = given.first - 1
        self._pairs = np.zeros(0, dtype=np.uint64)

    def follow(self, frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """Check frames and pass on those with rows: columns `line` (integer), `unit` (Categorical) and others.

        Raises:
            PluginError: the windower lost, invented, duplicated or reordered a line; the message names it.
        """
        for frame in frames:
            if len(frame):
                self._take(frame, frames)
                yield frame
        self._end()

    def _take(self, frame: pl.DataFrame, rest: Iterable[pl.DataFrame]) -> None:
        if frame["line"].null_count():
            raise PluginError("the windower gave a row without a line number; it must keep column 'line'")
        number = frame["line"].to_numpy().astype(np.int64)
        step = np.diff(number, prepend=self.last)
        if (wrong := np.flatnonzero((step < 0) | (step > 1))).size:
            position = int(wrong[0])
            self._moved(
                int(number[position]), int(number[position] - step[position]), chain([frame[position:]], rest)
            )
        self._once(number, step == 0, frame["unit"])
        self.last = int(number[-1])

    def _moved(self, number: int, before: int, rest: Iterable[pl.DataFrame]) -> None:
        """Say whether lines were invented, dropped or reordered, as `number` does not follow `before`."""
        end = self.given.first + self.given.total
        if number >= end:
            raise PluginError(f"the windower invented line {number + 1:,}: the log ends with line {end:,}")
        if number > before and not any(frame["line"].is_between(before + 1, number - 1).any() for frame in rest):
            raise PluginError(f"the windower dropped {_range(before + 1, number - 1)}; {KEEP}")
        raise PluginError(
            f"the windower reordered lines: line {number + 1:,} comes {_after(before)}; keep their order"
        )

    def _end(self) -> None:
        first, total = self.given.first, self.given.total
        end = first + total
        if self.last >= end:
            raise PluginError(f"the windower invented line {end + 1:,}: the log ends with line {end:,}")
        if total and self.last < first:
            raise PluginError(f"the windower lost every line ({total:,}); {KEEP}")
        if self.last < end - 1:
            raise PluginError(
                f"the windower lost the end of the log, {_range(self.last + 1, end - 1)} of {total:,}; {KEEP}"
            )

    def _once(self, number: NDArray[np.int64], again: NDArray[np.bool_], unit: pl.Series) -> None:
        """Check that each line occurs once a unit, and that no line has both a unit and none.

        Args:
            again: bool [rows], rows of the same line as the row before.
        """
        tail = int(np.searchsorted(number, number[-1]))
        last = _pairs(number[tail:], unit[tail:])
        if again.any():
            pairs = _pairs(number, unit)[again | np.append(again[1:], False)]
            self._check_pairs(np.sort(np.concatenate([self._pairs, pairs]) if again[0] else pairs))
        self._pairs = np.concatenate([self._pairs, last]) if number[-1] == self.last else last

    def _check_pairs(self, pairs: NDArray[np.uint64]) -> None:
        """Check pairs of line and unit (0: none), sorted, of lines with several rows."""
        twice = pairs[1:][pairs[1:] == pairs[:-1]]
        if len(twice):
            raise PluginError(f"the windower duplicated line {_line(twice[0]):,}: it occurs twice in one unit")
        none = pairs[pairs & np.uint64(0xFFFFFFFF) == 0]
        if len(none):
            raise PluginError(f"the windower gave line {_line(none[0]):,} both a unit and none")


def _pairs(number: NDArray[np.int64], unit: pl.Series) -> NDArray[np.uint64]:
    """Line and unit of each row as one number, see `AssignedUnits._check_pairs`."""
    code = unit.to_physical().cast(pl.Int64).fill_null(-1).to_numpy()
    pairs: NDArray[np.uint64] = number.astype(np.uint64) << np.uint64(32) | (code + 1).astype(np.uint64)
    return pairs


def _after(line: int) -> str:
    return f"after line {line + 1:,}" if line >= 0 else "first"


def _line(pair: np.uint64) -> int:
    """Number of a pair's line, from 1."""
    return int(pair >> np.uint64(32)) + 1


def _range(begin: int, end: int) -> str:
    """Name lines, counted from 0, by numbers from 1."""
    return f"line {begin + 1:,}" if begin == end else f"lines {begin + 1:,} to {end + 1:,}"
