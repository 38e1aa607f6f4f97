"""Store grouped lines in the cache and load them.

Entries have checksums, which every load checks. A damaged entry is removed with a note and made anew.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ..base.cache_folder import Note, entry, folder_of, remove, sound
from ..base.errors import DataError
from ..base.files import write_parquet, written
from .grouping import GroupedLines


def has(key: str) -> bool:
    """Whether an entry of grouped lines exists, damaged or not."""
    return folder_of("grouped", key).exists()


def store(key: str, value: GroupedLines, note: Note) -> None:
    """Store grouped lines; if the cache cannot be written, note it and go on."""
    try:
        with entry(folder_of("grouped", key)) as folder:
            _write(value, folder)
    except DataError as error:
        note(f"continuing without cache: {error}")


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
    """Load the grouped lines of `key`; arrays as long as the log are memory-mapped.

    Returns None if there is no entry, or a damaged one, which gives a note.
    """
    folder = folder_of("grouped", key)
    files = {path.name for path in folder.glob("*")}
    if not sound(folder, note):
        return None
    try:
        return _read(folder, files)
    except FileNotFoundError:  # another process removed it since
        return None
    except (
        Exception,
        pl.exceptions.PanicException,
    ) as error:  # its checksums are right, but it is none
        if isinstance(error, MemoryError):
            raise
        note(f"cache: grouped entry {folder.name} cannot be read ({type(error).__name__}), so it is made anew")
        with suppress(DataError):
            remove(folder)
        return None


def _read(folder: Path, files: Collection[str]) -> GroupedLines:
    """Read an entry; raise FileNotFoundError if one of its `files` is gone, because absence has a meaning."""
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
