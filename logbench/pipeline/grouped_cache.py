"""Store grouped lines in the cache and load them.

Entries have checksums, which every load checks. A damaged entry is removed with a note and made anew.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ..base.cache_folder import Note, entry, folder_of, remove, sound
from ..base.errors import DataError
from ..base.files import write_parquet, written
from ..base.freed_memory import lent
from ..base.regular_files import read_text
from .grouping import GroupedLines

FACTS = "facts.json"
# Columns of events, and their files.
EVENTS = {"codes": "code.npy", "lines": "line.npy", "times": "time.npy", "line_labels": "label.npy"}


def has(key: str) -> bool:
    """Whether an entry of grouped lines exists, damaged or not."""
    return folder_of("grouped", key).exists()


def has_size(size: int) -> bool:
    """Whether there may be an entry for a log of so many bytes."""
    return any(_size(folder) == size for folder in folder_of("grouped", "").glob("*"))


def _size(folder: Path) -> Any:
    """Bytes of the log that an entry is of; None where it does not tell, as entries of older code."""
    try:
        return json.loads(read_text(folder / FACTS)).get("size")
    except (OSError, ValueError, AttributeError, RecursionError):
        return None


def store(key: str, value: GroupedLines, note: Note, size: int = 0) -> GroupedLines:
    """Store grouped lines; if the cache cannot be written, note it and go on.

    Args:
        size: bytes of the log.

    Returns:
        The same; arrays as long as the log are those of the entry, memory-mapped, so that none is in memory.
    """
    place = folder_of("grouped", key)
    try:
        with entry(place) as folder:
            _write(value, size, folder)
    except DataError as error:
        note(f"continuing without cache: {error}")
        return value
    with suppress(OSError, ValueError):  # such as an entry that another process removed
        return replace(value, **{name: _mapped(place / file) for name, file in _events(value).items()})
    return value


def _events(value: GroupedLines) -> dict[str, str]:
    """The file of each column of events that there is."""
    return {name: file for name, file in EVENTS.items() if getattr(value, name) is not None}


def _mapped(file: Path) -> Any:
    return lent(np.load(file, mmap_mode="r"))


def _write(value: GroupedLines, size: int, folder: Path) -> None:
    for name, file in _events(value).items():
        with written(folder):
            np.save(folder / file, getattr(value, name))
    frames = {
        "units": value.units.with_columns(events=pl.Series(np.diff(value.offsets))),
        "messages": pl.DataFrame({"message": value.messages}),
    }
    for name, frame in frames.items():
        write_parquet(frame, folder / f"{name}.parquet")
    facts = {"facts": dict(value.facts), "sequences": value.sequences, "size": size}
    (folder / FACTS).write_text(json.dumps(facts), encoding="utf-8")


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
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    columns = {name: _mapped(folder / file) for name, file in EVENTS.items() if file in files}
    return GroupedLines(
        units=units.drop("events"),
        offsets=np.concatenate([[0], units["events"].to_numpy().cumsum()]).astype(np.int64),
        messages=pl.read_parquet(folder / "messages.parquet")["message"],
        facts=facts["facts"],
        sequences=facts["sequences"],
        **columns,
    )
