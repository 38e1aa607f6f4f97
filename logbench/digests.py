"""What was found out about raw files, remembered, so that 1.5 GB are not hashed on every run."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .interfaces import Progress

_BLOCK = 8 << 20
_KEPT = 256
_SETTLED_NS = 2_000_000_000


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
    """What `compute` says of a file (a JSON value), kept in `cache_file` by path, size, mtime and inode.

    A file changed less than two seconds ago is not remembered: a further change might leave its time the
    same. A cache that cannot be read or written is done without.

    Raises:
        OSError: `path` cannot be read.
    """
    key = f"{what}:{path.resolve()}"
    state = _state(path)
    known = _load(cache_file)
    if isinstance(entry := known.get(key), dict) and entry.get("state") == state:
        return entry["digest"]
    value = compute()
    if cache_file is not None and _state(path) == state and time.time_ns() - state[1] > _SETTLED_NS:
        _remember(cache_file, key, {"state": state, "digest": value})
    return value


def _state(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns, stat.st_ino]


def _load(cache_file: Path | None) -> dict[str, Any]:
    try:
        known = json.loads(cache_file.read_text(encoding="utf-8")) if cache_file else {}
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _remember(cache_file: Path, key: str, entry: dict[str, Any]) -> None:
    known = _load(cache_file)
    known.pop(key, None)
    known[key] = entry
    kept = dict(list(known.items())[-_KEPT:])
    part = cache_file.with_name(f".{cache_file.name}.{os.getpid()}.part")
    try:
        cache_file.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(kept, indent=1), encoding="utf-8")
        part.replace(cache_file)
    except OSError:
        with suppress(OSError):
            part.unlink()
