"""Fill the times of lines that have none."""

from __future__ import annotations

import numpy as np
import polars as pl


class LineClock:
    """Give a line without a time that of the line before; the first lines get the first time that there is."""

    UNKNOWN = np.iinfo(np.int64).min

    def __init__(self) -> None:
        self.first: int | None = None
        self.last = int(self.UNKNOWN)

    def fill(self, times: pl.Series) -> pl.Series:
        """Times of the next lines without gaps, Int64; `UNKNOWN` while no line had one."""
        whole = times.to_physical().fill_null(strategy="forward").fill_null(self.last)
        if self.first is None and times.null_count() < len(times):
            self.first = int(times.to_physical().drop_nulls()[0])
        self.last = int(whole[-1])
        return whole
