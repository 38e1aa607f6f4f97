"""Where a data set's files are: the user's path, `LOGBENCH_DATA`, generated, cached, or fetched."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..api.components import Card
from ..api.contracts import Generator
from ..base import cache_folder
from ..base.errors import DataError
from ..base.file_digests import mend
from ..base.files import digests_file
from ..base.progress import Progress
from ..components.configured import ConfiguredComponent
from ..components.registry import Registry
from ..running import generated


@dataclass(frozen=True)
class Located:
    """Where data lie.

    Attributes:
        path: what to read. digest: key of generated data, or checksum of a fetched archive; None where given.
        cached: taken from the cache. generated: made by logbench, now or before.
    """

    path: Path
    digest: str | None = None
    cached: bool = False
    generated: bool = False

    @property
    def facts(self) -> dict[str, Any]:
        """For the record of the stage."""
        return {"cached": self.cached, "generated": self.generated, "digest": self.digest}


def locate(
    part: ConfiguredComponent,
    data: Path | None,
    registry: Registry,
    progress: Progress,
    *,
    may_fetch: bool = True,
    cached: bool = True,
    note: Callable[[str], None] = lambda _: None,
) -> Located | None:
    """Where to read.

    Args:
        part: the data set with its configuration, which names generated files.
        data: what the user gave, taken as it is.
            Without it a data set with a `home`, such as a definition of own logs, says itself where they are.
        may_fetch: fetch or generate what is not there; otherwise the answer is None.
        cached: data generated before may be taken, and a digest that is remembered. Otherwise data are generated
            once for this process, and removed when it ends.
        note: is told in a line what of the cache is damaged.

    Raises:
        DataError: no file is there and none can be fetched, with the ways on.
    """
    mend(digests_file(), note)
    name, card = part.name, part.entry.item.card
    if data is not None:
        return Located(_given(data, f"--data {data}", name, card))
    dataset = part.build()
    if home := getattr(dataset, "home", None):
        return Located(Path(home))
    if isinstance(dataset, Generator):
        return _generated(dataset, part, progress, may_fetch, cached, note)
    if given := os.environ.get("LOGBENCH_DATA"):
        below = Path(given) / name
        return Located(below if below.exists() else _given(Path(given), f"LOGBENCH_DATA={given}", name, card))
    if not card.url:
        raise DataError(f"{name} has nothing to fetch: give --data PATH, {card.layout}")
    from ..reading.fetch import fetch, folder_of, target_of

    folder = folder_of(card)
    there = target_of(card, folder)
    if not may_fetch:
        return Located(there, cached=True) if there.exists() else None
    embedded = [n for n, entry in registry.components["dataset"].items() if entry.item.card.simulated]
    before = _stamp(there)
    path = fetch(card, folder, progress, embedded=embedded, note=note)
    return Located(path, f"md5 {card.md5}" if card.md5 else None, cached=before == _stamp(path))


def _stamp(path: Path) -> tuple[int, int] | None:
    return (path.stat().st_ino, path.stat().st_mtime_ns) if path.exists() else None


def _generated(
    dataset: Generator,
    part: ConfiguredComponent,
    progress: Progress,
    may_make: bool,
    cached: bool,
    note: Callable[[str], None],
) -> Located | None:
    if may_make and not (cached and generated.may_keep(part)):
        return Located(generated.fresh(dataset, part, progress), generated=True)
    folder = generated.place(part)
    there = cache_folder.sound(folder, note, digests_file())
    if not there and not may_make:
        return None
    if not there and folder.exists() and not cache_folder.sound(folder, lambda _: None, digests_file()):
        return Located(generated.fresh(dataset, part, progress), generated=True)  # it cannot be removed
    try:
        path = generated.kept(dataset, part, progress)
    except DataError as error:
        note(f"continuing without cache: {error}")
        return Located(generated.fresh(dataset, part, progress), generated=True)
    return Located(path, folder.name.removeprefix(f"{part.name}-"), cached=there, generated=True)


def _given(path: Path, said: str, name: str, card: Card) -> Path:
    if not path.exists():
        raise DataError(f"{said}: no such file or folder; {name} needs {card.layout}")
    return path
