"""Fetches a data set's archive: whole and checked under its final name, or not there at all."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ..base.errors import ConfigError, DataError
from ..base.file_digests import digest
from ..base.file_names import named_file
from ..base.files import digests_file, root
from ..base.regular_files import read_text
from .download import Patience, RefusedError, download, megabytes

if TYPE_CHECKING:
    from ..api.components import Card
    from ..base.progress import Progress


def fetch(
    card: Card,
    folder: Path,
    progress: Progress,
    *,
    embedded: Sequence[str] = (),
    patience: Patience | None = None,
    note: Callable[[str], None] = lambda _: None,
) -> Path:
    """The archive at `card.url` in `folder`, fetched unless it is there already, whole.

    It is written to a temporary name, checked against `card.size`, `card.md5` and `card.sha256`, then renamed. Of
    two runs at once the second waits and finds it. Without a `card.sha256` that of the first fetch is kept beside
    it, and another one is refused.

    Args:
        card: the data set's card.
        folder: made where missing.
        progress: told bytes done, bytes in all and the file's name.
        embedded: names of data sets that need no fetching, offered where this one cannot be had.
        patience: how long a server and another run are waited for.
        note: is told in a line of an archive that is not what was fetched, and of what is waited for.

    Raises:
        DataError: no network, a wrong or short file, no room on the disk: one line with the ways on.
    """
    target, patience = target_of(card, folder), patience or Patience()
    name = target.name
    damage = ""
    try:
        if not (damage := fault(target, card)):
            _keep_digest(target, card, note)
            return target
        if target.exists():
            note(f"{target} {damage}, so it is fetched again")
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(target, progress, patience.lock, note):
            if fault(target, card):
                _download(card, target, progress, patience)
            _keep_digest(target, card, note)
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
    """What is wrong with an archive; empty where it is what the card says and what was first fetched.

    Raises:
        OSError: it cannot be read.
    """
    if not target.is_file():
        return "is missing"
    if card.size and (size := target.stat().st_size) != card.size:
        return f"has {size:,} bytes instead of {card.size:,}"
    for algorithm, wanted in _digests(target, card).items():
        if (found := digest(target, digests_file() if remember else None, algorithm)) != wanted:
            return f"has {algorithm} {found} instead of {wanted}"
    return ""


def digest_of_archive(target: Path, card: Card) -> str | None:
    """The digest that an archive is known by, such as `md5 …`; None where there is none yet."""
    return next((f"{algorithm} {found}" for algorithm, found in _digests(target, card).items()), None)


def _digests(target: Path, card: Card) -> dict[str, str]:
    """Digests that the archive must have: those of the card, else the SHA-256 of its first fetch."""
    known = {"md5": card.md5, "sha256": card.sha256 or _kept(target)}
    return {algorithm: found for algorithm, found in known.items() if found}


def _kept_in(target: Path) -> Path:
    return target.with_name(f"{target.name}.sha256")


def _kept(target: Path) -> str:
    """The SHA-256 of the first fetch; empty where there is none."""
    with suppress(OSError, UnicodeDecodeError):
        text = read_text(_kept_in(target), most=1000)
        return found[0] if (found := re.match(r"[0-9a-f]{64}\b", text)) else ""
    return ""


def _keep_digest(target: Path, card: Card, note: Callable[[str], None]) -> None:
    """Keep the SHA-256 of an archive whose card has none, as `sha256sum` writes it."""
    if card.sha256 or _kept(target):
        return
    path = _kept_in(target)
    found = digest(target, digests_file())
    with suppress(OSError):  # a cache that may not be written: then every fetch is a first one
        path.unlink(missing_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(f"{found}  {target.name}\n")
        if not card.md5:
            note(f"{target.name}: the card has no digest; its sha256 {found} is kept, and another one is refused")


def _download(card: Card, target: Path, progress: Progress, patience: Patience) -> None:
    try:
        download(card.url, target, card.size, _digests(target, card), progress, patience)
    except RefusedError as error:
        if card.sha256 or not _kept(target) or "its sha256 is" not in str(error):
            raise
        path = _kept_in(target)
        raise RefusedError(
            f"{error}. {path} holds that of the first fetch; remove it if the change is right"
        ) from None


@contextmanager
def _alone(target: Path, progress: Progress, patience: float, note: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of `target`; the system lets go of it when a process dies.

    Raises:
        RefusedError: another run holds it for longer than `patience` seconds, or it is a link.
    """
    from filelock import FileLock, Timeout

    path = target.with_name(f"{target.name}.lock")
    if path.is_symlink():
        raise RefusedError(f"{path} is a link; remove it")
    lock, end, said = FileLock(path), time.monotonic() + patience, False
    while True:
        try:
            lock.acquire(timeout=min(0.5, max(patience, 0.01)))
            break
        except Timeout:
            progress(0, None, f"{target.name}: waiting for another run that fetches it")
            if not said:
                note(f"{target.name}: waiting for another run that fetches it, at most {patience:,.0f} s")
            said = True
            if time.monotonic() > end:
                raise RefusedError(f"another run has held {path} for {patience:,.0f} s; end it") from None
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
