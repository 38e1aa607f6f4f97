"""What was found out about raw files, remembered, so that 1.5 GB are not hashed on every run."""

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

if TYPE_CHECKING:
    from .progress import Progress

_BLOCK = 8 << 20
_KEPT = 256
_SETTLED_NS = 2_000_000_000
# Bytes up to which a file is looked at each time: that costs some milliseconds, and trusts no time stamp.
SMALL = 16 << 20


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
    entry = _load(cache_file)[0].get(key)
    if entry is not None and entry["state"] == state:
        return entry["digest"]
    value = compute()
    if _state(path) == state and time.time_ns() - max(state[1], state[3]) > _SETTLED_NS:
        _remember(cache_file, key, {"state": state, "digest": value})
    return value


def faults(cache_file: Path) -> Iterator[str]:
    """What of the memory is wrong, in words: damage, and digests that files no longer have though times agree.

    Reads every file whose digest is remembered.
    """
    entries, damage = _load(cache_file)
    if damage:
        yield damage
    for key, entry in entries.items():
        what, _, name = key.partition(":")
        path = Path(name)
        checked = what in hashlib.algorithms_available and path.is_file() and entry["state"] == _state(path)
        if checked and digest(path, None, what) != entry["digest"]:
            yield f"{name}: its {what} is not the remembered one"


def mend(cache_file: Path | None, note: Callable[[str], None]) -> None:
    """Take what is damaged out of the memory, and say so in a line; what cannot be written is left."""
    if cache_file is not None:
        entries, damage = _load(cache_file)
        if damage:
            note(f"cache: {cache_file.name} is damaged ({damage}), so digests are computed anew")
            _write(cache_file, entries)


def _state(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns, stat.st_ino, stat.st_ctime_ns]


def _load(cache_file: Path) -> tuple[dict[str, Any], str]:
    """Entries that are as they were written, by key, and what is wrong with the others."""
    try:
        known = json.loads(cache_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}, ""
    except OSError as error:
        return {}, error.strerror or str(error)
    except ValueError:
        return {}, "it is no JSON"
    if not isinstance(known, dict):
        return {}, "it is no table"
    sound = {key: entry for key, entry in known.items() if _sound(key, entry)}
    other = next((key.partition(":")[2] or key for key in known if key not in sound), "")
    return sound, f"the entry of {other} is not what was written" if other or len(sound) < len(known) else ""


def _sound(key: str, entry: Any) -> bool:
    return isinstance(entry, dict) and entry.get("sum") == _sum(key, entry)


def _sum(key: str, entry: Mapping[str, Any]) -> str:
    """Checksum of an entry: a digest with one bit flipped is a digest, too."""
    said = json.dumps([key, entry.get("state"), entry.get("digest")])
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _remember(cache_file: Path, key: str, entry: dict[str, Any]) -> None:
    known, _ = _load(cache_file)
    known.pop(key, None)
    known[key] = {**entry, "sum": _sum(key, entry)}
    _write(cache_file, dict(list(known.items())[-_KEPT:]))


def _write(cache_file: Path, known: Mapping[str, Any]) -> None:
    part = cache_file.with_name(f".{cache_file.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        cache_file.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(known, indent=1), encoding="utf-8")
        part.replace(cache_file)
    except OSError:
        with suppress(OSError):
            part.unlink()
