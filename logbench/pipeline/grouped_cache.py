"""The user's cache: fetched archives, generated data and grouped lines, each written whole or not at all.

Entries carry checksums and are checked whenever they are used: a damaged one is said and made anew.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ..base.cache_folder import Note, entry, folder_of, sound
from ..base.errors import DataError
from ..base.files import write_parquet, written
from .grouping import GroupedLines


def has(key: str) -> bool:
    """Whether there is an entry of grouped lines of this name, sound or not."""
    return folder_of("grouped", key).exists()


def store(key: str, value: GroupedLines, note: Note) -> None:
    """Keep grouped lines; a cache that cannot be written is done without, with a note."""
    try:
        with entry(folder_of("grouped", key)) as folder:
            _write(value, folder)
    except DataError as error:
        note(f"going on without cache: {error}")


def _write(value: GroupedLines, folder: Path) -> None:
    events = {"code": value.codes, "line": value.lines, "time": value.times, "label": value.line_labels}
    for name, column in events.items():
        if column is not None:
            with written(folder):
                np.save(folder / f"{name}.npy", column)
    frames = {
        "units": value.units.with_columns(events=pl.Series(np.diff(value.offsets))),
        "messages": pl.DataFrame({"message": value.messages}),
    }
    for name, frame in frames.items():
        write_parquet(frame, folder / f"{name}.parquet")
    facts = {"facts": dict(value.facts), "sequences": value.sequences}
    (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")


def load(key: str, note: Note) -> GroupedLines | None:
    """The grouped lines kept under `key`, those arrays that are as long as the log memory-mapped.

    None where there are none, or they are not what was written: a line says so.
    """
    folder = folder_of("grouped", key)
    files = {path.name for path in folder.glob("*")}
    if not sound(folder, note):
        return None
    try:
        return _read(folder, files)
    except FileNotFoundError:  # another process removed it since
        return None


def _read(folder: Path, files: Collection[str]) -> GroupedLines:
    """Raises FileNotFoundError where one of its `files` is gone, since a column that is missing has a meaning."""
    units = pl.read_parquet(folder / "units.parquet")
    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))

    def column(name: str) -> Any:
        file = f"{name}.npy"
        return np.load(folder / file, mmap_mode="r") if file in files else None

    return GroupedLines(
        units=units.drop("events"),
        offsets=np.concatenate([[0], units["events"].to_numpy().cumsum()]).astype(np.int64),
        codes=column("code"),
        lines=column("line"),
        messages=pl.read_parquet(folder / "messages.parquet")["message"],
        times=column("time"),
        line_labels=column("label"),
        facts=facts["facts"],
        sequences=facts["sequences"],
    )
