"""A small log of units that mingle, and a run on it, for tests of what is disturbed on purpose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from labelled_log import Row, registry, run_one, write

from logbench import Context, ModelComponent, ModelTraits, RunRecord, Sessions
from logbench.base.progress import silent
from logbench.data.lines import Lines
from logbench.pipeline.coding import read_lines
from logbench.pipeline.grouping import GroupedLines, group_lines
from logbench_parsers.none import Verbatim
from logbench_windowers.column import Column

WORDS = ("open the file", "read a block of data", "write a block", "close", "delete old file now", "sync disk")


def lines() -> list[tuple[int, str, str, int, int]]:
    """Line, message, unit, second and label: 60 units of 1 to 9 lines that mingle."""
    draw = np.random.default_rng(5)
    owners = draw.permutation([unit for unit in range(60) for _ in range(1 + unit % 9)])
    return [
        (at, WORDS[int(draw.integers(6))], f"u{unit}", 3 * at, int(draw.random() < 0.05))
        for at, unit in enumerate(owners)
    ]


LINES = lines()


def grouped() -> GroupedLines:
    columns = ("line", "message", "id", "second", "label")
    frame = pl.DataFrame(LINES, schema=columns, orient="row").lazy()
    frame = frame.with_columns(
        pl.col("line").cast(pl.UInt32), pl.col("label").cast(pl.Int8),
        time=(pl.col("second") * 10**6).cast(pl.Datetime("us")),
    )  # fmt: skip
    return group_lines(read_lines(Lines(frame), Column("id"), Verbatim(), silent, True), Verbatim())


class Remembers:
    """Scores a unit by its events that training never met."""

    def fit(self, train: Sessions, context: Context) -> None:
        self.known = set(train.keys.tolist())

    def score(self, sessions: Sessions, context: Context) -> Any:
        assert sessions.texts is not None and sessions.text_ids is not None
        return sessions.unseen.astype(float)


def run_with(folder: Path, needs: frozenset[Any] = frozenset({"texts"}), **protocol: Any) -> RunRecord:
    rows: list[Row] = [(message, label, second, unit) for _, message, unit, second, label in LINES]
    found = registry(models=[ModelComponent("remembers", Remembers, traits=ModelTraits(needs=needs))])
    settings = {"protocol": {"train": "ratio", "content": "mixed", "held_out": 0.2, **protocol}}
    return run_one(write(folder / "a.log", rows), found, "remembers", settings, windower="session")
