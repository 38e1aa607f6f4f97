"""Generate data: into the cache, keyed by the generating code, or for one process alone."""

from __future__ import annotations

import atexit
import shutil
from pathlib import Path
from typing import Any

from ..api.contracts import Generator
from ..base import cache_folder
from ..base.files import written
from ..base.progress import Progress
from ..base.temporary_folders import temporary
from ..components.configured import ConfiguredComponent
from ..running import identity

# Folder of the data in an entry, next to their checksums.
DATA = "data"
# Data that this process generated for itself, by key.
_FRESH: dict[str, Path] = {}


def place(part: ConfiguredComponent[Any]) -> Path:
    """Path of the cache entry for a data set's generated data."""
    return cache_folder.folder_of("generated", f"{part.name}-{identity.of({'dataset': part}).text}")


def kept(dataset: Generator, part: ConfiguredComponent[Any], progress: Progress) -> Path:
    """Path of generated data in the cache; generates them if they are missing.

    Raises:
        DataError: the data cannot be written.
    """
    folder = place(part)
    if not folder.exists():
        with cache_folder.entry(folder) as target:
            (target / DATA).mkdir()
            dataset.generate(target / DATA, progress)
    return folder / DATA


def may_keep(part: ConfiguredComponent[Any]) -> bool:
    """Whether the generating code is known, so that it can serve as a key."""
    return identity.of({"dataset": part}).known and not identity.edited([part])


def fresh(dataset: Generator, part: ConfiguredComponent[Any], progress: Progress) -> Path:
    """Generate data once for all runs of this process, and remove them at its end.

    Raises:
        DataError: the data cannot be written.
    """
    key = f"{id(part.entry.item.build)} {identity.of({'dataset': part}).text}"
    if key not in _FRESH:
        folder = temporary()
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        with written(folder):
            dataset.generate(folder, progress)
        _FRESH[key] = folder
    return _FRESH[key]
