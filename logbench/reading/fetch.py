"""Fetches a data set's archive: whole and checked under its final name, or not there at all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ..base.errors import ConfigError, DataError
from ..base.file_digests import digest
from ..base.file_names import named_file
from ..base.files import digests_file, root
from .download import RefusedError, download, megabytes

if TYPE_CHECKING:
    from ..api.components import Card
    from ..base.progress import Progress


def fetch(
    card: Card,
    folder: Path,
    progress: Progress,
    *,
    embedded: Sequence[str] = (),
    timeout: float = 30.0,
    waits: Sequence[float] = (1.0, 4.0),
    note: Callable[[str], None] = lambda _: None,
) -> Path:
    """The archive at `card.url` in `folder`, fetched unless it is there already, whole.

    It is written to a temporary name, checked against `card.size` and `card.md5`, then renamed. Of two runs
    at once the second waits and finds it.

    Args:
        card: the data set's card.
        folder: made where missing.
        progress: told bytes done, bytes in all and the file's name.
        embedded: names of data sets that need no fetching, offered where this one cannot be had.
        timeout: seconds without a byte after which the server is given up.
        waits: seconds to wait before each further try at a server that says it is busy.
        note: is told in a line of an archive that is not what was fetched.

    Raises:
        DataError: no network, a wrong or short file, no room on the disk: one line with the ways on.
    """
    target = target_of(card, folder)
    name = target.name
    damage = ""
    try:
        if not (damage := fault(target, card)):
            return target
        if target.exists():
            note(f"{target} {damage}, so it is fetched again")
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(target, progress):
            if fault(target, card):
                download(card, target, progress, timeout, waits)
    except RefusedError as error:
        before = f"the file that is there {damage}; " if target.exists() else ""
        raise DataError(_ways_on(card, name, f"{before}{error}", embedded)) from None
    except OSError as error:  # a full disk, a folder that may not be written
        reason = f"{folder}: {error.strerror or error}"
        raise DataError(_ways_on(card, name, reason, embedded)) from None
    return target


def target_of(card: Card, folder: Path) -> Path:
    """Where `fetch` puts the archive.

    Raises:
        DataError: the card has nothing to fetch.
    """
    name = PurePosixPath(unquote(urlsplit(card.url).path)).name
    if not name:
        raise DataError(f"{card.title}: nothing to fetch; pass --data PATH or set LOGBENCH_DATA ({card.layout})")
    try:
        return named_file(folder, name)
    except ConfigError as error:
        raise DataError(f"{card.title}: {card.url} ends in {error}") from None


def folder_of(card: Card) -> Path:
    """The folder of the cache for what `card.url` gives: archives of two data sets may be called alike."""
    name = PurePosixPath(unquote(urlsplit(card.url).path)).stem
    return root() / "fetched" / f"{name}-{hashlib.sha256(card.url.encode()).hexdigest()[:8]}"


def fault(target: Path, card: Card, remember: bool = True) -> str:
    """What is wrong with an archive; empty where it is what the card says.

    Raises:
        OSError: it cannot be read.
    """
    if not target.is_file():
        return "is missing"
    if card.size and (size := target.stat().st_size) != card.size:
        return f"has {size:,} bytes instead of {card.size:,}"
    found = card.md5 and digest(target, digests_file() if remember else None, "md5")
    return f"has md5 {found} instead of {card.md5}" if found != card.md5 else ""


@contextmanager
def _alone(target: Path, progress: Progress) -> Iterator[None]:
    """Hold the lock of `target`; the system lets go of it when a process dies."""
    from filelock import FileLock, Timeout

    lock = FileLock(target.with_name(f"{target.name}.lock"))
    while True:
        try:
            lock.acquire(timeout=0.5)
            break
        except Timeout:
            progress(0, None, f"{target.name}: waiting for another run that fetches it")
    try:
        yield
    finally:
        lock.release()


def _ways_on(card: Card, name: str, reason: str, embedded: Sequence[str]) -> str:
    ways = [
        "see to the network and run this again",
        f"download {card.url} yourself and pass --data PATH or set LOGBENCH_DATA ({card.layout})",
    ]
    if embedded:
        ways.append("use embedded data: " + " or ".join(f"--dataset {other}" for other in embedded))
    numbered = "; ".join(f"({number}) {way}" for number, way in enumerate(ways, 1))
    return f"cannot fetch {name} ({megabytes(card.size)}): {reason}. Ways on: {numbered}"
