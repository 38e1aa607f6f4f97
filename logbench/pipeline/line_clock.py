"""Fill the times of lines that have none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray


class LineClock:
    """Give a line without a time that of the line before; the first lines get the first time that there is."""

    UNKNOWN = int(np.iinfo(np.int64).min)

    def __init__(self) -> None:
        self.first: int | None = None
        self.last = int(self.UNKNOWN)

    @classmethod
    def numbers(cls, times: pl.Series) -> NDArray[np.int64]:
        """Datetimes as microseconds since 1970, `UNKNOWN` where null."""
        numbers = times.to_physical()
        return (numbers.fill_null(cls.UNKNOWN) if numbers.null_count() else numbers).to_numpy()

    def fill(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Times of the next lines, at least one, without gaps; `UNKNOWN` while no line had one."""
        known = times != self.UNKNOWN
        if not known.all():
            at = np.maximum.accumulate(np.where(known, np.arange(1, len(times) + 1), 0))
            times = np.concatenate([[self.last], times])[at]
        if self.first is None and known.any():
            self.first = int(times[known.argmax()])
        self.last = int(times[-1])
        return times
