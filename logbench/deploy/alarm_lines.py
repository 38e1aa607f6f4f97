"""Whole units of a stream that alarmed, kept so that `logbench show` prints their lines: no file has them."""

from __future__ import annotations

from typing import Any

import polars as pl

from ..running.looks import KEPT, Look, keep

# Alarms whose lines are kept, the last ones, and lines of each, the first ones.
ALARMS, LINES = 100, 1000


class AlarmLines:
    """The last alarms of a stream with their lines; each change is kept at once."""

    def __init__(self) -> None:
        self.units: dict[str, dict[str, Any]] = {}

    def take(self, alarms: pl.DataFrame, lines: pl.DataFrame) -> None:
        """Keep some alarms.

        Args:
            alarms: rows of `score_stream`. lines: `unit`, `number` (Int64, from 0), `line` (Int64, from 1), `raw`
                and `text` of their lines, in order.
        """
        by_unit = lines.partition_by("unit", as_dict=True, maintain_order=True, include_key=False)
        for row in alarms.select(*KEPT).iter_rows(named=True):
            unit = row.pop("unit")
            own = by_unit[(unit,)].head(LINES).with_columns(file=pl.lit(None, pl.String))
            self.units.pop(unit, None)
            self.units[unit] = {**row, "lines": own.to_dicts()}
        self.units = dict([*self.units.items()][-ALARMS:])
        keep("score", Look("score", None, self.units))
