"""One HTTP download: counted, checked, renamed when whole; each failure in a few words."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import requests

    from ..api.components import Card
    from ..base.progress import Progress

_BUSY = frozenset({429, 502, 503, 504})


class RefusedError(Exception):
    """The archive could not be had, or is not what the card says: why, in a few words."""


class _BusyError(RefusedError):
    """Worth asking again."""


def download(card: Card, target: Path, progress: Progress, timeout: float, waits: Sequence[float]) -> None:
    """Fetch `card.url` as `target`; a server that is busy is asked again after each of `waits` (seconds).

    Raises:
        RefusedError: network, server or content are not as they should be.
        OSError: the file cannot be written.
    """
    import requests

    for wait in (*waits, None):
        sink = _Sink(card, target.name, progress)
        try:
            _once(card, target, sink, timeout)
            return
        except _BusyError as error:
            if wait is None:
                raise
            progress(0, card.size or None, f"{target.name}: {error}, again in {wait:g} s")
            time.sleep(wait)
        except requests.RequestException as error:
            raise RefusedError(_reason(error, sink, timeout)) from None


def _once(card: Card, target: Path, sink: _Sink, timeout: float) -> None:
    import pooch

    free = shutil.disk_usage(target.parent).free
    if free < card.size:
        needs = f"{megabytes(card.size)} needed, {megabytes(free)} free in {target.parent}"
        raise RefusedError(f"disk full: {needs}")
    # A coded transfer would be counted unpacked; the answer is kept so that its connection can be closed.
    options = {"headers": {"Accept-Encoding": "identity"}, "hooks": {"response": sink.look}}
    part = target.with_name(f".{target.name}.part")
    try:
        with part.open("wb") as file:
            sink.file = file
            pooch.HTTPDownloader(chunk_size=1 << 16, timeout=timeout, **options)(card.url, sink, None)
            sink.check()
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        sink.close()
        part.unlink(missing_ok=True)


class _Sink:
    """The file as pooch writes it: counts, reports, and refuses early what cannot be the archive."""

    def __init__(self, card: Card, name: str, progress: Progress) -> None:
        self.card, self.name, self.progress = card, name, progress
        self.file: IO[bytes] | None = None
        self.done = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._answer: requests.Response | None = None

    def look(self, answer: requests.Response, *_: object, **__: object) -> None:
        """Called with each answer's headers, before its body."""
        self._answer = answer
        if answer.status_code >= 400:
            kind = _BusyError if answer.status_code in _BUSY else RefusedError
            raise kind(f"the server answered {answer.status_code} {answer.reason}")
        if answer.status_code != 200:
            return
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            raise RefusedError("the server sent a web page instead of the file")
        length = answer.headers.get("Content-Length", "")
        if length and not length.isdecimal():
            raise RefusedError(f"the server sent a malformed Content-Length ({length[:40]!r})")
        if length and self.card.size and int(length) != self.card.size:
            raise RefusedError(f"the server offers {int(length):,} bytes, {self.card.size:,} are expected")

    def write(self, data: bytes) -> None:
        assert self.file is not None
        self.done += len(data)
        if self.card.size and self.done > self.card.size:
            raise RefusedError(f"the server sent more than the {self.card.size:,} bytes expected")
        self.file.write(data)
        self._md5.update(data)
        self.progress(self.done, self.card.size or None, self.name)

    def flush(self) -> None:
        """pooch asks for it after every chunk; once at the end will do."""

    def check(self) -> None:
        """Whether all of it came, unchanged."""
        if self.card.size and self.done != self.card.size:
            raise RefusedError(f"it ended after {self.done:,} of {self.card.size:,} bytes")
        if self.card.md5 and self._md5.hexdigest() != self.card.md5:
            raise RefusedError(
                f"its md5 is {self._md5.hexdigest()}, not {self.card.md5}: damaged, or another file"
            )

    def close(self) -> None:
        if self._answer is not None:
            self._answer.close()


def _reason(error: Exception, sink: _Sink, timeout: float) -> str:
    """A network error in a few words."""
    cause = _cause(error)
    so_far = f"after {sink.done:,} of {sink.card.size:,} bytes" if sink.done else "before any byte came"
    if "timed out" in str(error):
        return f"the server stayed silent for {timeout:g} s {so_far}"
    return f"the connection broke {so_far} ({cause})" if sink.done else f"no connection ({cause})"


def _cause(error: BaseException) -> str:
    """The innermost reason: urllib3 and requests wrap a system's error several times."""
    inner = getattr(error, "reason", None) or error.__cause__ or error.__context__
    if isinstance(inner, BaseException):
        return _cause(inner)
    return " ".join((getattr(error, "strerror", None) or str(error) or type(error).__name__).split())


def megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
