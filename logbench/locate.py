"""Where a data set's files are: the user's path, `LOGBENCH_DATA`, generated, cached, or fetched."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import cache
from .errors import DataError
from .interfaces import Card, Generator, Progress


def locate(
    name: str,
    dataset: Any,
    card: Card,
    config: dict[str, Any],
    data: Path | None,
    embedded: Sequence[str],
    progress: Progress,
) -> Path:
    """The path to read.

    Args:
        dataset: the built data set; one with `generate` writes its files into the cache.
        config: its configuration, which names the generated files.
        data: what the user gave, taken as it is.
        embedded: data sets that need no file, named in the error where none is to be had.

    Raises:
        DataError: no file is there and none can be fetched, with the ways on.
    """
    if data is not None:
        if not data.exists():
            raise DataError(f"--data {data}: no such file or folder; {name} needs {card.layout}")
        return data
    if isinstance(dataset, Generator):
        folder = cache.root() / "generated" / f"{name}-{cache.key_of(config=config)}"
        if not folder.exists():
            with cache.whole(folder) as target:
                dataset.generate(target, progress)
        return folder
    given = os.environ.get("LOGBENCH_DATA")
    if given:
        for path in (Path(given) / name, Path(given)):
            if path.exists():
                return path
        raise DataError(f"LOGBENCH_DATA={given}: no such file or folder; {name} needs {card.layout}")
    if card.url:
        from .fetch import fetch

        return fetch(card, cache.root() / "fetched", progress, embedded)
    raise DataError(f"{name} has nothing to fetch: give --data PATH, {card.layout}")
