"""Read the tables of a run, and refuse changed ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from ..api.record_sections import Record
from ..base.errors import DataError
from ..base.file_digests import digest
from ..base.file_names import path_below


def checksums(run_id: str, artifacts: Mapping[str, str], folder: Path) -> dict[str, str]:
    """SHA-256 of each file that a run wrote itself, by name of the artifact."""
    own = {name: path_below(folder, path) for name, path in artifacts.items() if path.startswith(f"{run_id}/")}
    return {name: digest(path, None) for name, path in own.items() if path.is_file()}


def fault(record: Record, folder: Path, name: str) -> str:
    """Say why an artifact of a run is unreliable; empty if it is sound. Old records have no checksums."""
    path, digests = path_below(folder, record["artifacts"][name]), record.get("checksums") or {}
    if not path.is_file():
        return f"the {name} of run {record['run_id']} are gone"
    if name in digests and digest(path, None) != digests[name]:
        return f"the {name} are not those that run {record['run_id']} wrote"
    return ""


def table(record: Record, folder: Path, name: str) -> pl.DataFrame:
    """Read a table of a run, such as `scores`.

    Raises:
        DataError: the run has no such table, or it is missing or damaged.
    """
    if not record.get("artifacts", {}).get(name):
        raise DataError(f"run {record['run_id']} has no {name}: its status is {record['status']}")
    path = path_below(folder, record["artifacts"][name])
    if wrong := fault(record, folder, name):
        raise DataError(f"{path}: {wrong}; run it again")
    try:
        return pl.read_parquet(path)
    except (Exception, pl.exceptions.PanicException) as error:  # polars panics at some damage
        if isinstance(error, MemoryError):
            raise
        raise DataError(f"{path}: cannot be read, it is damaged; run it again") from None
