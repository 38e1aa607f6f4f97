"""A log whose lines carry labels, times and nodes, for tests: written line by line, read as any data set."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from logbench import Card, DatasetComponent, Lines, RunRecord, run, testing
from logbench.components.registry import Registry

CARD = Card(
    title="lines",
    label="of each line",
    layout="a file",
    parser="none",
    windower="count",
    protocol="chronological",
    unit="log",
)
EPOCH = dt.datetime(2005, 6, 3)
# Message, label, seconds since `EPOCH`, node.
Row = tuple[str, int, int, str]


class Log:
    """One line a row: label, seconds, node, message, parted by tabs."""

    def read(self, path: Path) -> Lines:
        part = pl.col("raw").str.split("\t")
        frame = pl.scan_lines(path, name="raw", row_index_name="line").with_columns(
            label=part.list.get(0).cast(pl.Int8),
            time=pl.lit(EPOCH).cast(pl.Datetime("us")) + pl.duration(seconds=part.list.get(1).cast(pl.Int64)),
            node=part.list.get(2),
            id=part.list.get(2),
            message=part.list.get(3),
        )
        return Lines(frame, files=[path])


def write(path: Path, rows: Iterable[Row]) -> Path:
    text = [f"{label}\t{second}\t{node}\t{message}\n" for message, label, second, node in rows]
    path.write_text("".join(text), encoding="utf-8")
    return path


def registry(**more: Any) -> Registry:
    """The installed plugins, data set `log`, and `more` components by hook (`models=[…]`)."""
    return testing.registry(**{"datasets": [DatasetComponent("log", Log, card=CARD)], **more})


def run_one(path: Path, found: Registry, model: str, settings: Any, **options: Any) -> RunRecord:
    options = {"out": path.parent / "runs", "data": path, "settings": settings, **options}
    (record,) = run(model, dataset="log", registry=found, **options)
    return record
