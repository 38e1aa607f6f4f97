"""Where a data set's files are: the user's path, `LOGBENCH_DATA`, generated, cached, or fetched."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from . import cache
from .errors import DataError
from .interfaces import Card, Generator, Progress
from .plan import Part
from .registry import Registry
from .storage import root, whole


def locate(
    part: Part, data: Path | None, registry: Registry, progress: Progress, may_fetch: bool = True
) -> Path | None:
    """The path to read.

    Args:
        part: the data set with its configuration, which names generated files.
        data: what the user gave, taken as it is.
            Without it a data set with a `home`, such as a definition of own logs, says itself where they are.
        may_fetch: fetch or generate what is not there; otherwise the answer is None.

    Raises:
        DataError: no file is there and none can be fetched, with the ways on.
    """
    name, card = part.name, part.entry.item.card
    if data is not None:
        return _given(data, f"--data {data}", name, card)
    dataset = part.build()
    if home := getattr(dataset, "home", None):
        return Path(home)
    if isinstance(dataset, Generator):
        return _generated(dataset, part, progress, may_fetch)
    if given := os.environ.get("LOGBENCH_DATA"):
        below = Path(given) / name
        return below if below.exists() else _given(Path(given), f"LOGBENCH_DATA={given}", name, card)
    if not card.url:
        raise DataError(f"{name} has nothing to fetch: give --data PATH, {card.layout}")
    from .fetch import fetch, target_of

    folder = root() / "fetched"
    if not may_fetch:
        target = target_of(card, folder)
        return target if target.exists() else None
    embedded = [n for n, entry in registry.components["dataset"].items() if entry.item.card.simulated]
    return fetch(card, folder, progress, embedded=embedded)


def _given(path: Path, said: str, name: str, card: Card) -> Path:
    if not path.exists():
        raise DataError(f"{said}: no such file or folder; {name} needs {card.layout}")
    return path


def _generated(dataset: Any, part: Part, progress: Progress, may_fetch: bool) -> Path | None:
    folder = (
        root()
        / "generated"
        / f"{part.name}-{cache.key_of(config=part.as_dict(), plugin=part.entry.plugin.version)}"
    )
    if not folder.exists():
        if not may_fetch:
            return None
        with whole(folder) as target:
            dataset.generate(target, progress)
    return folder
