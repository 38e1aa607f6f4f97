"""Windows with equal numbers of lines."""

from __future__ import annotations

import polars as pl

from .column import Step, grouped_by, in_order, in_windows, names, require


class Count:
    """Windows that begin at every `stride`-th line; the last ones have the remaining lines.

    Lines are counted from the first, or where the split cuts the lines, from the first of each side (column
    `place`). A window is named by the numbers, from 1, of the lines that it has when it is full.

    Args:
        size, stride: lines.
        within: `none`, or the column whose values have windows of their own, of their own lines.
    """

    def __init__(self, size: int, stride: int, within: str) -> None:
        self.size, self.stride, self.within = size, stride, within
        self.piecewise = within == "none"

    def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        """Add `unit`.

        Raises:
            IncompatibleError: the lines have not the column of `within`.
        """
        if self.within != "none":
            require(lines, self.within)
            side = ["side"] if "side" in lines.collect_schema() else []
            groups, copies = [self.within, *side], -(-self.size // self.stride)
            assigned = in_order(lines, lambda: self._pass(groups), groups, copies)
            return grouped_by(assigned, self.within)
        place = pl.col("place" if "place" in lines.collect_schema() else "line").cast(pl.Int64)
        return self._named(lines, place, pl.col("line").cast(pl.Int64) - place)

    def _pass(self, groups: list[str]) -> Step:
        done = pl.DataFrame()

        def step(frame: pl.DataFrame) -> pl.DataFrame:
            nonlocal done
            counted = frame.select(*groups, place=pl.int_range(pl.len(), dtype=pl.Int64).over(groups))
            if len(done):
                before = counted.join(done, on=groups, how="left", maintain_order="left", nulls_equal=True)
                counted = counted.with_columns(place=pl.col("place") + before["before"].fill_null(0))
            more = counted.group_by(groups).agg(before=pl.col("place").max() + 1)
            done = pl.concat([done, more]).group_by(groups).agg(pl.col("before").max())
            return self._named(frame.lazy(), pl.lit(counted["place"]), pl.lit(0)).collect()

        return step

    def _named(self, lines: pl.LazyFrame, place: pl.Expr, base: pl.Expr) -> pl.LazyFrame:
        """`lines`, each once for each of its windows, with their names as `unit`."""
        first = ((place - self.size).floordiv(self.stride) + 1).clip(0)
        windows = first, place.floordiv(self.stride)
        cut = in_windows(lines, windows, self.within, self.size == self.stride)
        begin = pl.col("unit") * self.stride + base
        name = names(begin, lambda begin: pl.format("lines {}–{}", begin + 1, begin + self.size))
        return cut.with_columns(unit=name if self.within == "none" else pl.col(self.within) + "@" + name)
