"""Check that everything in the cache is undamaged."""

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
    """Read all bytes of the cache; give one row an entry: `kind`, `name`, `bytes`, `path`, `state`, `why`.

    `state` is `ok`, `bad`, or `unknown` without a checksum. Remembered digests of raw files are checked, too.
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
    """State of fetched archives, by entry."""
    cards = [entry.item.card for entry in registry.components["dataset"].values() if entry.item.card.url]
    states: dict[Path, dict[str, str]] = {}
    for card in cards:
        if (target := target_of(card, folder_of(card))).exists():
            wrong = fault(target, card, remember=False)
            states[folder_of(card)] = _state(f"{target.name} {wrong}" if wrong else "")
    return states


def _state(wrong: str) -> dict[str, str]:
    return {"state": "bad" if wrong else "ok", "why": wrong}
