"""Categories as small integers, in first-seen order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Values that are looked up at a time.
BLOCK = 1 << 14


class FirstSeenCodes:
    """Categories numbered in first-seen order (their own codes depend on which thread came first)."""

    def __init__(self) -> None:
        self._number = np.full(1 << 10, -1, dtype=np.int32)
        self._names: list[pl.Series] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def of(self, column: pl.Series) -> NDArray[np.int32]:
        """Number of each value, int32 [n]; all columns are of one Categorical type, without nulls."""
        physical = column.to_physical().to_numpy()
        most = int(physical.max()) + 1
        if most > len(self._number):
            more = np.full(max(most, 2 * len(self._number)) - len(self._number), -1, dtype=np.int32)
            self._number = np.concatenate([self._number, more])
        result = np.empty(len(physical), dtype=np.int32)
        for begin in range(0, len(physical), BLOCK):  # few names of a block are new after the first
            codes, numbers = physical[begin : begin + BLOCK], result[begin : begin + BLOCK]
            np.take(self._number, codes, out=numbers, mode="clip")
            if len(new := np.flatnonzero(numbers < 0)):
                first = self._add(codes[new])
                self._names.append(column.gather(begin + new[first]).cast(pl.String))
                numbers[new] = self._number[codes[new]]
        return result

    def _add(self, codes: NDArray[np.uint32]) -> NDArray[np.intp]:
        """Number these codes, all of them new; the places where each stands first."""
        self._number[codes[::-1]] = -1 - np.arange(len(codes) - 1, -1, -1, dtype=np.int32)  # the first one wins
        first = np.flatnonzero(self._number[codes] == -1 - np.arange(len(codes), dtype=np.int32))
        self._number[codes[first]] = np.arange(self._count, self._count + len(first), dtype=np.int32)
        self._count += len(first)
        return first

    def names(self) -> pl.Series:
        """The names by number, String."""
        return pl.concat(self._names) if self._names else pl.Series(dtype=pl.String)
