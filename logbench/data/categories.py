"""Categories as small integers, in first-seen order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
        result: NDArray[np.int32] = self._number[physical]
        if result.min() >= 0:
            return result
        new = np.flatnonzero(result < 0)
        codes = physical[new]
        self._number[codes[::-1]] = -1 - np.arange(len(codes) - 1, -1, -1, dtype=np.int32)  # the first one wins
        first = np.flatnonzero(self._number[codes] == -1 - np.arange(len(codes), dtype=np.int32))
        self._number[codes[first]] = np.arange(self._count, self._count + len(first), dtype=np.int32)
        self._count += len(first)
        self._names.append(column.gather(new[first]).cast(pl.String))
        result[new] = self._number[codes]
        return result

    def names(self) -> pl.Series:
        """The names by number, String."""
        return pl.concat(self._names) if self._names else pl.Series(dtype=pl.String)
