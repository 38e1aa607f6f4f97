"""The user's cache: fetched archives, generated data and grouped lines, each written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from .errors import DataError
from .grouping import Grouped
from .storage import root, whole, write_parquet, written

VERSION = 2
"""Raised when the meaning of what is cached changes: older entries are then not found."""


def key_of(**facts: Any) -> str:
    """A name that changes with any of the facts."""
    text = json.dumps({"version": VERSION, "polars": pl.__version__, **facts}, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def has(key: str) -> bool:
    """Whether grouped lines are kept under `key`."""
    return _folder(key).exists()


def store(key: str, value: Grouped, note: Callable[[str], None]) -> None:
    """Keep grouped lines; a cache that cannot be written is done without, with a note."""
    try:
        with whole(_folder(key)) as folder:
            _write(value, folder)
    except DataError as error:
        note(f"going on without cache: {error}")


def _folder(key: str) -> Path:
    return root() / "grouped" / key


def _write(value: Grouped, folder: Path) -> None:
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


def load(key: str) -> Grouped:
    """The grouped lines kept under `key`, those arrays that are as long as the log memory-mapped."""
    folder = _folder(key)
    units = pl.read_parquet(folder / "units.parquet")
    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))

    def column(name: str) -> Any:
        path = folder / f"{name}.npy"
        return np.load(path, mmap_mode="r") if path.exists() else None

    return Grouped(
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


def entries() -> list[dict[str, Any]]:
    """What is cached: `kind`, `name`, `bytes`, `path`; half-written leftovers have kind `leftover`."""
    found = []
    for kind in sorted(root().glob("*")):
        for path in sorted(kind.glob("*")) if kind.is_dir() else [kind]:
            files = [path, *path.rglob("*")] if path.is_dir() else [path]
            size = sum(f.stat().st_size for f in files if f.is_file())
            name = "leftover" if path.name.startswith(".") else kind.name
            found.append({"kind": name, "name": path.name, "bytes": size, "path": str(path)})
    return found


def clear(kind: str | None = None) -> int:
    """Remove cached entries of one kind, or all; returns the bytes freed."""
    freed = 0
    for entry in entries():
        if kind in (None, entry["kind"]):
            path = Path(entry["path"])
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            freed += entry["bytes"]
    return freed
