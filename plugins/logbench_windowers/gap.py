"""Sessions that end by silence: an id that comes again after it is another session."""

from __future__ import annotations

import re

import polars as pl

from .column import Step, in_order, require
from .session import Session


class GapSession(Session):
    """As `Session`, but an id whose lines are further apart than the gap has several sessions: `id`, `id#2` …

    A line without a time has that of the line before it. A step back in time ends nothing.

    Args:
        gap: microseconds.
    """

    def __init__(self, pattern: str, column: str, gap: int) -> None:
        super().__init__(pattern, column)
        self.gap = gap
        self.silence = gap / 10**6

    def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        """Add `unit`; a line without id has null.

        Raises:
            ConfigError: neither a pattern is set nor does the column exist.
            IncompatibleError: the lines have no times.
        """
        require(lines, "time")
        return in_order(super().assign(lines), self._pass, ["unit", "time"])

    def label_of(self, unit: str) -> str:
        """The id of a session's name."""
        return re.sub(r"#[0-9]+$", "", unit)

    def _pass(self) -> Step:
        known = pl.DataFrame(schema={"unit": pl.String, "before": pl.Int64, "number": pl.Int64})
        last = pl.Series([None], dtype=pl.Int64)

        def step(frame: pl.DataFrame) -> pl.DataFrame:
            nonlocal known, last
            told = last.append(frame["time"].to_physical()).fill_null(strategy="forward")
            last = told.tail(1)
            rows = frame.select(pl.col("unit").cast(pl.String)).with_columns(at=told.slice(1))
            rows = rows.join(known, on="unit", how="left", maintain_order="left")
            previous = pl.coalesce(pl.col("at").shift().over("unit"), "before")
            begins = (pl.col("at") - previous > self.gap).fill_null(False).cast(pl.Int64)
            rows = rows.with_columns(number=begins.cum_sum().over("unit") + pl.col("number").fill_null(1))
            now = (
                rows.drop_nulls("unit")
                .group_by("unit")
                .agg(before=pl.col("at").max(), number=pl.col("number").last())
            )
            known = pl.concat([known, now]).unique("unit", keep="last")
            name = pl.when(pl.col("number") > 1).then(pl.format("{}#{}", "unit", "number")).otherwise("unit")
            return frame.with_columns(rows.select(unit=name)["unit"])

        return step
