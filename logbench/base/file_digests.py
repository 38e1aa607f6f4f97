"""On-disk memo of file digests and encoding checks, keyed by path, size, mtime, ctime and inode.

Without it every run would hash 1.5 GB of raw logs again.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .regular_files import read_text

if TYPE_CHECKING:
    from .progress import Progress

_BLOCK = 8 << 20
_KEPT = 256
_SETTLED_NS = 2_000_000_000
# Bytes up to which a file is read every time: it takes milliseconds and needs no trust in time stamps.
SMALL = 16 << 20
# Seconds for which a result is taken over unseen.
TRUSTED_S = 86_400.0


def digest(
    path: Path, cache_file: Path | None, algorithm: str = "sha256", progress: Progress | None = None
) -> str:
    """Hex digest of a file, see `remembered`; reports progress in MB.

    Raises:
        OSError: `path` cannot be read.
    """

    def compute() -> str:
        hasher, size = hashlib.new(algorithm), path.stat().st_size / 1e6
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                hasher.update(block)
                if progress is not None:
                    progress(min(file.tell() / 1e6, size), size, f"MB hashed of {path.name}")
        return hasher.hexdigest()

    return str(remembered(path, cache_file, algorithm, compute))


def remembered(path: Path, cache_file: Path | None, what: str, compute: Callable[[], Any]) -> Any:
    """Result of `compute` for a file (a JSON value), kept in `cache_file` by path, size, mtime, ctime and inode.

    Unlike mtime, ctime cannot be set back after a change (on Windows it is the time of creation, so only mtime
    counts). Small files are not remembered, nor files changed in the last two seconds, because another change
    might leave their times the same. What is older than a day is computed anew, because disks rot and times can be
    forged. A cache that cannot be read or written is ignored.

    Args:
        what: name of the result, and of the code that computes it if its answers may change.

    Raises:
        OSError: `path` cannot be read.
    """
    state = state_of(path)
    if cache_file is None or state[0] <= SMALL:
        return compute()
    key = f"{what}:{path.resolve()}"
    entry = _load(cache_file)[0].get(key)
    now = time.time()
    if entry is not None and entry["state"] == state and 0 <= now - entry.get("at", 0) < TRUSTED_S:
        return entry["digest"]
    value = compute()
    if state_of(path) == state and time.time_ns() - max(state[1], state[3]) > _SETTLED_NS:
        _remember(cache_file, key, {"state": state, "digest": value, "at": now})
    return value


def faults(cache_file: Path) -> Iterator[str]:
    """Describe faults of the memo: damage, and digests that are wrong although the times agree.

    Reads every file whose digest is remembered.
    """
    entries, damage = _load(cache_file)
    if damage:
        yield damage
    for key, entry in entries.items():
        what, _, name = key.partition(":")
        path = Path(name)
        checked = what in hashlib.algorithms_available and path.is_file() and entry["state"] == state_of(path)
        if checked and digest(path, None, what) != entry["digest"]:
            yield f"{name}: its {what} is not the remembered one"


def mend(cache_file: Path | None, note: Callable[[str], None]) -> None:
    """Remove damaged entries from the memo, with a note; ignore a memo that cannot be written."""
    if cache_file is not None:
        entries, damage = _load(cache_file)
        if damage:
            note(f"cache: {cache_file.name} is damaged ({damage}), so digests are computed anew")
            _write(cache_file, entries)


def state_of(path: Path) -> list[int]:
    """Size, mtime, inode and ctime of a file, which differ once it was changed or replaced.

    Raises:
        OSError: it is not there.
    """
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns, stat.st_ino, stat.st_ctime_ns]


def _load(cache_file: Path) -> tuple[dict[str, Any], str]:
    """Undamaged entries by key, and what is wrong with the others."""
    try:
        entries = json.loads(read_text(cache_file))
    except FileNotFoundError:
        return {}, ""
    except OSError as error:
        return {}, error.strerror or str(error)
    except (ValueError, RecursionError):
        return {}, "it is no JSON"
    if not isinstance(entries, dict):
        return {}, "it is no table"
    sound = {key: entry for key, entry in entries.items() if _sound(key, entry)}
    other = next((key.partition(":")[2] or key for key in entries if key not in sound), "")
    return sound, f"the entry of {other} is not what was written" if other or len(sound) < len(entries) else ""


def _sound(key: str, entry: Any) -> bool:
    return isinstance(entry, dict) and entry.get("sum") == _sum(key, entry)


def _sum(key: str, entry: Mapping[str, Any]) -> str:
    """Checksum of an entry. It is needed because a digest with a flipped bit still looks like a digest."""
    content = json.dumps([key, entry.get("state"), entry.get("digest"), *([entry["at"]] if "at" in entry else [])])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _remember(cache_file: Path, key: str, entry: dict[str, Any]) -> None:
    entries, _ = _load(cache_file)
    entries.pop(key, None)
    entries[key] = {**entry, "sum": _sum(key, entry)}
    _write(cache_file, dict(list(entries.items())[-_KEPT:]))


def _write(cache_file: Path, entries: Mapping[str, Any]) -> None:
    part = cache_file.with_name(f".{cache_file.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        cache_file.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(entries, indent=1), encoding="utf-8")
        part.replace(cache_file)
    except OSError:
        with suppress(OSError):
            part.unlink()
