"""Looks at all that is cached: whether it still is what was written, generated or fetched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..base import cache_folder, checksums
from ..base.file_digests import faults
from ..base.files import digests_file
from ..components.registry import Registry
from ..reading.fetch import fault, folder_of, target_of


def verify(registry: Registry) -> Iterator[dict[str, Any]]:
    """One row an entry, all of its bytes read: `kind`, `name`, `bytes`, `path`, `state`, `why`.

    `state` is `ok`, `bad`, or `unknown` where nothing says what should be there. Remembered digests of raw files
    are tried, too.
    """
    archives = _archives(registry)
    for entry in cache_folder.entries():
        path = Path(entry["path"])
        if entry["kind"] in cache_folder.SUMMED:
            wrong = checksums.fault(path, path.name)
            yield {**entry, **_state(wrong)}
        elif entry["kind"] == "fetched":
            yield {**entry, **archives.get(path, {"state": "unknown", "why": "of no data set that is installed"})}
        elif path == digests_file():
            yield {**entry, **_state("; ".join(faults(path)))}
        else:
            yield {**entry, "state": "unknown", "why": "half-written" if entry["kind"] == "leftover" else ""}


def _archives(registry: Registry) -> dict[Path, dict[str, str]]:
    """State of what was fetched, by its entry."""
    cards = [entry.item.card for entry in registry.components["dataset"].values() if entry.item.card.url]
    found: dict[Path, dict[str, str]] = {}
    for card in cards:
        if (target := target_of(card, folder_of(card))).exists():
            wrong = fault(target, card, remember=False)
            found[folder_of(card)] = _state(f"{target.name} {wrong}" if wrong else "")
    return found


def _state(wrong: str) -> dict[str, str]:
    return {"state": "bad" if wrong else "ok", "why": wrong}
