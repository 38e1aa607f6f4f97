"""Sessions that end by silence: an id that comes again after it is another session."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from .column import Step, in_order, require
from .session import Session

KNOWN = pl.DataFrame(schema={"unit": pl.String, "before": pl.Int64, "number": pl.Int64})
# Ids that are remembered in a stream.
REMEMBERED = 100_000


@dataclass
class _Memory:
    """When each id last came (`before`, microseconds) and the number of its session; and the last time."""

    known: pl.DataFrame = field(default_factory=lambda: KNOWN)
    last: int | None = None


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
        self._going: _Memory | None = None

    @property
    def memory(self) -> dict[str, Any] | None:
        """When each id last came, and the number of its session; and the last time."""
        going = self._going
        return None if going is None else {"last": going.last, "ids": going.known.to_dict(as_series=False)}

    def go_on(self, memory: Any = None) -> None:
        """See `Continues`; the ids that came last are remembered."""
        known = pl.DataFrame(memory["ids"], schema=KNOWN.schema) if memory else KNOWN
        self._going = _Memory(known, memory["last"] if memory else None)

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
        memory = self._going or _Memory()

        def step(frame: pl.DataFrame) -> pl.DataFrame:
            last = pl.Series([memory.last], dtype=pl.Int64)
            told = last.append(frame["time"].to_physical()).fill_null(strategy="forward")
            memory.last = told[-1]
            rows = frame.select(pl.col("unit").cast(pl.String)).with_columns(at=told.slice(1))
            rows = rows.join(memory.known, on="unit", how="left", maintain_order="left")
            previous = pl.max_horizontal(pl.col("at").cum_max().shift().over("unit"), "before")
            begins = (pl.col("at") - previous > self.gap).fill_null(False).cast(pl.Int64)
            number = begins.cum_sum().over("unit") + pl.col("number").fill_null(1)
            rows = rows.with_columns(number=number, before=pl.max_horizontal("at", "before"))
            ids = rows.drop_nulls("unit").group_by("unit", maintain_order=True)
            now = ids.agg(pl.col("before").max(), pl.col("number").last())
            memory.known = pl.concat([memory.known.join(now, on="unit", how="anti"), now])
            if memory is self._going:
                memory.known = memory.known.tail(REMEMBERED)
            name = pl.when(pl.col("number") > 1).then(pl.format("{}#{}", "unit", "number")).otherwise("unit")
            return frame.with_columns(rows.select(unit=name)["unit"])

        return step
