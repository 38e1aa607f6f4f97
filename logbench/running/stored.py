"""Tables that a run left beside its record, read back only as they were written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from ..base.errors import DataError
from ..base.file_digests import digest


def checksums(run_id: str, artifacts: Mapping[str, str], folder: Path) -> dict[str, str]:
    """SHA-256 of each file that a run wrote itself, by the artifact's name."""
    own = {name: folder / path for name, path in artifacts.items() if path.startswith(f"{run_id}/")}
    return {name: digest(path, None) for name, path in own.items() if path.is_file()}


def fault(record: Mapping[str, Any], folder: Path, name: str) -> str:
    """Why an artifact of a run cannot be relied on; empty where it can. Records of old have no checksums."""
    path, known = folder / record["artifacts"][name], record.get("checksums") or {}
    if not path.is_file():
        return f"the {name} of run {record['run_id']} are gone"
    if name in known and digest(path, None) != known[name]:
        return f"the {name} are not those that run {record['run_id']} wrote"
    return ""


def table(record: Mapping[str, Any], folder: Path, name: str) -> pl.DataFrame:
    """A table that a run left, such as `scores`.

    Raises:
        DataError: the run has none, or it is gone or damaged.
    """
    if not record.get("artifacts", {}).get(name):
        raise DataError(f"run {record['run_id']} has no {name}: its status is {record['status']}")
    path = folder / record["artifacts"][name]
    if wrong := fault(record, folder, name):
        raise DataError(f"{path}: {wrong}; run it again")
    try:
        return pl.read_parquet(path)
    except pl.exceptions.PolarsError:
        raise DataError(f"{path}: cannot be read, it is damaged; run it again") from None
