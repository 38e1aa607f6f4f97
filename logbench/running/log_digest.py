"""The digest of a log's raw files: taken at once, or in a thread beside the reading."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from ..base.file_digests import digest, state_of
from ..base.files import digests_file
from ..base.progress import Progress

# State of a file, its size first; None for a missing one.
Stamp = list[int] | None


def digest_of(files: Sequence[Path], path: Path, progress: Progress | None = None) -> str:
    """SHA-256 over the raw files' names below `path` and their digests.

    Args:
        path: file or folder that the data set read; units may be named after files and folders in it.
    """
    total = hashlib.sha256()
    base = path if path.is_dir() else path.parent
    for file in files:
        name = Path(os.path.relpath(file, base)).as_posix()
        line = f"{name} {digest(file, digests_file(), progress=progress)}\n"
        total.update(line.encode("utf-8", "surrogateescape"))  # names may be no UTF-8
    return total.hexdigest()


@contextmanager
def digesting(files: Sequence[Path], path: Path) -> Iterator[Callable[[], str]]:
    """Compute `digest_of` in a thread; give a function that waits for it and raises what it raised.

    At an error inside the block the thread ends within some MB.
    """
    stop = Event()

    def check(done: float, total: float | None = None, detail: str = "") -> None:
        if stop.is_set():
            raise CancelledError

    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(digest_of, files, path, check)
        try:
            yield found.result
        finally:
            stop.set()


def stamps_of(files: Sequence[Path]) -> list[Stamp]:
    """The stamp of each file, which differs once it was changed or replaced."""
    return [state_of(file) if file.exists() else None for file in files]


def size_of(stamps: Sequence[Stamp]) -> int:
    """Bytes of all files."""
    return sum(stamp[0] for stamp in stamps if stamp is not None)
