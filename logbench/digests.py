"""What was found out about raw files, remembered, so that 1.5 GB are not hashed on every run."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .interfaces import Progress

_BLOCK = 8 << 20
_KEPT = 256
_SETTLED_NS = 2_000_000_000
SMALL = 16 << 20
"""Bytes up to which a file is looked at each time: that costs some milliseconds, and trusts no time stamp."""


def digest(
    path: Path, cache_file: Path | None, algorithm: str = "sha256", progress: Progress | None = None
) -> str:
    """Hex digest of a file; see `remembered`. `progress` is told megabytes.

    Raises:
        OSError: `path` cannot be read.
    """

    def compute() -> str:
        found, size = hashlib.new(algorithm), path.stat().st_size / 1e6
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                found.update(block)
                if progress is not None:
                    progress(min(file.tell() / 1e6, size), size, f"MB hashed of {path.name}")
        return found.hexdigest()

    return str(remembered(path, cache_file, algorithm, compute))


def remembered(path: Path, cache_file: Path | None, what: str, compute: Callable[[], Any]) -> Any:
    """What `compute` says of a file (a JSON value), kept in `cache_file` by path, size, mtime, ctime and inode.

    Unlike mtime, ctime cannot be put back after a change (on Windows it is the time of creation, and mtime alone
    tells). A small file is not remembered, nor one changed less than two seconds ago: a further change might leave
    its times the same. A cache that cannot be read or written is done without.

    Args:
        what: names what is computed, and the code that does where its answers may change.

    Raises:
        OSError: `path` cannot be read.
    """
    key = f"{what}:{path.resolve()}"
    state = _state(path)
    if cache_file is None or state[0] <= SMALL:
        return compute()
    known = _load(cache_file)
    if isinstance(entry := known.get(key), dict) and entry.get("state") == state:
        return entry["digest"]
    value = compute()
    if _state(path) == state and time.time_ns() - max(state[1], state[3]) > _SETTLED_NS:
        _remember(cache_file, key, {"state": state, "digest": value})
    return value


def outdated(cache_file: Path) -> Iterator[tuple[str, str]]:
    """Path of each file whose remembered digest is not that of its content though its times say so, and why.

    Reads every file whose digest is remembered.
    """
    entries = {key: entry for key, entry in _load(cache_file).items() if isinstance(entry, dict)}
    for key, entry in entries.items():
        what, _, name = key.partition(":")
        path = Path(name)
        checked = what in hashlib.algorithms_available and path.is_file() and entry.get("state") == _state(path)
        if checked and digest(path, None, what) != entry.get("digest"):
            yield name, f"its {what} is not the remembered one"


def _state(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns, stat.st_ino, stat.st_ctime_ns]


def _load(cache_file: Path) -> dict[str, Any]:
    try:
        known = json.loads(cache_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _remember(cache_file: Path, key: str, entry: dict[str, Any]) -> None:
    known = _load(cache_file)
    known.pop(key, None)
    known[key] = entry
    kept = dict(list(known.items())[-_KEPT:])
    part = cache_file.with_name(f".{cache_file.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        cache_file.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(kept, indent=1), encoding="utf-8")
        part.replace(cache_file)
    except OSError:
        with suppress(OSError):
            part.unlink()
