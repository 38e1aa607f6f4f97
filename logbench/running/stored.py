"""Read the tables of a run, and refuse changed ones; the checksum of a record itself."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..api.record import RunRecord
from ..api.record_sections import Record
from ..base.errors import DataError
from ..base.file_digests import digest
from ..base.file_names import path_below

if TYPE_CHECKING:
    import polars as pl

# Name of a record's own checksum, beside those of its tables.
OWN = "record"


def record_sum(record: Mapping[str, Any]) -> str:
    """SHA-256 of a record's JSON values, except of this checksum: the order of keys and spaces do not count."""
    others = {name: one for name, one in record.get("checksums", {}).items() if name != OWN}
    text = json.dumps({**record, "checksums": others}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def is_as_written(record: Mapping[str, Any]) -> bool:
    """Whether a record agrees with its own checksum, which those of older versions lack."""
    sums, artifacts = record.get("checksums", {}), record.get("artifacts", {})
    if not isinstance(sums, Mapping) or not isinstance(artifacts, Mapping):
        return True  # another kind of damage
    try:
        if OWN in sums:
            return bool(sums[OWN] == record_sum(record))
        known = {one.name for one in dataclasses.fields(RunRecord)}
        return set(sums) <= set(artifacts) and set(record) <= known  # else a key of the checksum is damaged
    except (RecursionError, ValueError):  # nested too deeply; a number of thousands of digits
        return False


def part(record: Record, *keys: str) -> Any:
    """What a record says at these keys, such as `config`, `windower`.

    Raises:
        DataError: it says nothing there.
    """
    found: Any = record
    for key in keys:
        if not isinstance(found, Mapping) or key not in found:
            raise DataError(f"run {record['run_id']}: its {'.'.join(keys)} is missing; run again")
        found = found[key]
    return found


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


def sound(record: Record, folder: Path, name: str) -> Path:
    """The file of a table of a run, as the run wrote it.

    Raises:
        DataError: the run has no such table, or it is missing or changed.
    """
    if not record.get("artifacts", {}).get(name):
        raise DataError(f"run {record['run_id']} has no {name}: its status is {record['status']}")
    path = path_below(folder, record["artifacts"][name])
    if wrong := fault(record, folder, name):
        raise DataError(f"{path}: {wrong}; run it again")
    return path


def table(record: Record, folder: Path, name: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Read a table of a run, such as `scores`.

    Args:
        columns: those to read; None: all.

    Raises:
        DataError: the run has no such table, or it is missing or damaged.
    """
    import polars as pl

    path = sound(record, folder, name)
    try:
        return pl.read_parquet(path, columns=None if columns is None else [*columns])
    except (Exception, pl.exceptions.PanicException) as error:  # polars panics at some damage
        if isinstance(error, MemoryError):
            raise
        raise DataError(f"{path}: cannot be read, it is damaged; run it again") from None
