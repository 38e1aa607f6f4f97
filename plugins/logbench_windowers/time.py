"""Windows of equal duration."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from .column import Step, grouped_by, in_order, in_windows, names, require

# Format of a window's start, by the unit that divides its stride.
NAMES = {60 * 10**6: "%Y-%m-%d %H:%M", 10**6: "%Y-%m-%d %H:%M:%S", 1: "%Y-%m-%d %H:%M:%S%.6f"}


class Time:
    """Windows [k · stride, k · stride + size) since 1970-01-01 00:00, so that they begin at full hours.

    A line belongs to the windows of its own time, also where the clock went back before it. A line without a
    time has that of the line before; where none came before, it belongs to no unit. A window is named by its
    beginning, after `node@` or `file@` where each has windows of its own.

    Args:
        size, stride: microseconds.
        within: `none`, or the column whose values have windows of their own.
    """

    def __init__(self, size: int, stride: int, within: str) -> None:
        self.size, self.stride, self.within = size, stride, within
        self.silence = size / 10**6
        self._back = self._timeless = 0

    def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        """Add `unit`.

        Raises:
            IncompatibleError: the lines have no times, or not the column of `within`.
        """
        needs = ["time", *([self.within] if self.within != "none" else [])]
        for name in needs:
            require(lines, name)
        assigned = in_order(lines, self._pass, needs, -(-self.size // self.stride))
        return assigned if self.within == "none" else grouped_by(assigned, self.within)

    def counted(self) -> Mapping[str, int]:
        """Counts of the last pass: lines earlier than the line before, and lines without a time."""
        return {"lines_back_in_time": self._back, "lines_without_time": self._timeless}

    def _pass(self) -> Step:
        self._back = self._timeless = 0
        last = pl.Series([None], dtype=pl.Int64)

        def step(frame: pl.DataFrame) -> pl.DataFrame:
            nonlocal last
            known = frame["time"].to_physical()
            told = last.append(known).fill_null(strategy="forward")
            self._back += int((told.diff() < 0).sum())
            self._timeless += known.null_count()
            last = told.tail(1)
            return self._named(frame.lazy(), pl.lit(told.slice(1))).collect()

        return step

    def _named(self, lines: pl.LazyFrame, time: pl.Expr) -> pl.LazyFrame:
        """`lines`, each once for each of its windows, with their names as `unit`."""
        windows = ((time - self.size).floordiv(self.stride) + 1, time.floordiv(self.stride))
        cut = in_windows(lines, windows, self.within, self.size == self.stride)
        pattern = next(pattern for whole, pattern in NAMES.items() if self.stride % whole == 0)
        begin = (pl.col("unit") * self.stride).cast(pl.Datetime("us"))
        name = names(begin, lambda begin: begin.dt.strftime(pattern))
        return cut.with_columns(unit=name if self.within == "none" else pl.col(self.within) + "@" + name)
