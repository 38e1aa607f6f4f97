"""Read a part of a data set that `logbench seal` wrote, in place of its raw files.

A part is a folder with `part.json`, `lines.parquet` or `sequences.parquet`, and where there are such
`labels.parquet`, `types.parquet` and `units.parquet`, which says of each unit whether it trains or is tested.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from ..base.errors import DataError
from ..base.regular_files import read_text
from ..data.lines import KeySequences, Lines

PART, VERSION = "part.json", 1
LINES, SEQUENCES, LABELS, TYPES, UNITS = (
    f"{name}.parquet" for name in ("lines", "sequences", "labels", "types", "units")
)
# What `part.json` says at least.
KEYS = frozenset({"config", "dataset", "digest", "fingerprint", "key", "share", "side", "windower"})


def open_data(dataset: Any, name: str, path: Path) -> Lines | KeySequences:
    """Data as `dataset.read` gives them; those of a part where `path` is one.

    Args:
        dataset: see `Dataset`. name: of the data set.

    Raises:
        DataError: the part is of another data set, or damaged; or what `read` raises.
    """
    if not (path / PART).is_file():
        opened: Lines | KeySequences = dataset.read(path)
        return opened
    facts = facts_of(path)
    if facts["dataset"] != name:
        raise DataError(f"{path}: a part of {facts['dataset']}, not of {name}; give --dataset {facts['dataset']}")
    return _opened(path, facts)


def facts_of(path: Path) -> dict[str, Any]:
    """What `part.json` says.

    Raises:
        DataError: it is missing, damaged or of another version.
    """
    try:
        facts = json.loads(read_text(path / PART))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(
            f"{path}: no part of a data set ({error.__class__.__name__}); see: logbench seal"
        ) from None
    if not isinstance(facts, dict) or facts.get("part_version") != VERSION:
        raise DataError(f"{path / PART}: not of version {VERSION}; seal the data set again")
    if lacking := sorted(KEYS - set(facts)):
        raise DataError(f"{path / PART}: damaged, it has no {lacking[0]}; seal the data set again")
    return facts


def _opened(path: Path, facts: dict[str, Any]) -> Lines | KeySequences:
    files = [path / name for name in (PART, LINES, SEQUENCES, LABELS, TYPES, UNITS) if (path / name).is_file()]

    def of(name: str) -> Callable[[], pl.DataFrame] | None:
        return partial(_read, path / name) if path / name in files else None

    types = of(TYPES)
    if (path / SEQUENCES).is_file():
        return KeySequences(_read(path / SEQUENCES), files, types=types)
    if not (path / LINES).is_file():
        raise DataError(f"{path}: has neither {LINES} nor {SEQUENCES}; seal the data set again")
    lines = _read(path / LINES, pl.scan_parquet)
    return Lines(lines, files, of(LABELS), shown=facts.get("shown", ()), types=types, parts=of(UNITS))


def _read(file: Path, read: Callable[[Path], Any] = pl.read_parquet) -> Any:
    """A table, or for `scan_parquet` what reads it."""
    try:
        found = read(file)
        found.collect_schema()
    except (OSError, pl.exceptions.PolarsError) as error:
        said = str(error).splitlines()[0][:120]
        raise DataError(f"{file}: damaged or unreadable ({said}); copy or seal the part again") from None
    return found
