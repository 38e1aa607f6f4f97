"""Download one file by HTTP: counted, limited, resumed, checked, renamed when whole; failures in a few words."""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from ..base.file_digests import digest
from .part_file import open_part

if TYPE_CHECKING:
    import requests

    from ..base.progress import Progress

_BUSY = frozenset({429, 502, 503, 504})
_MOVED = frozenset({301, 302, 303, 307, 308})
_HOPS = 10
_CHUNK = 1 << 16
# Bytes that are fetched at most where no size is known.
MOST = 32 << 30


class RefusedError(Exception):
    """The archive could not be had, or is not what the card says: why, in a few words."""


class _AgainError(RefusedError):
    """Worth asking again, for the rest where the server gives one."""


@dataclass(frozen=True)
class Patience:
    """How long a server is waited for.

    Attributes:
        silence: seconds without a byte after which it is given up.
        total: seconds after which it is given up however it drips; 0: an hour, and more for large files.
        waits: seconds before each further try at one that is busy or broke off.
        lock: seconds to wait for another run that fetches the same.
    """

    silence: float = 30.0
    total: float = 0.0
    waits: Sequence[float] = (1.0, 4.0)
    lock: float = 3600.0


def download(
    url: str, target: Path, size: int, digests: Mapping[str, str], progress: Progress, patience: Patience
) -> None:
    """Fetch `url` as `target`.

    What breaks off is kept beside it as `.NAME.part` where a digest is known; the rest is asked for next time.

    Args:
        size: bytes, 0 where unknown.
        digests: algorithm → hex digest that the file must have.

    Raises:
        RefusedError: network, server or content are not as they should be.
        OSError: the file cannot be written.
    """
    deadline = time.monotonic() + (patience.total or 3600 + size / 50_000)
    body = _Body(url, target, size, digests, progress, patience.silence, deadline)
    for wait in (*patience.waits, None):
        try:
            body.fetch()
            return
        except _AgainError as error:
            if wait is None or time.monotonic() + wait > deadline:
                raise
            progress(0, size or None, f"{target.name}: {error}, again in {wait:g} s")
            time.sleep(wait)


@dataclass
class _Body:
    """The file as it comes.

    Attributes:
        done, offered: bytes that are here, and in all by the server; 0 where it says nothing.
    """

    url: str
    target: Path
    size: int
    digests: Mapping[str, str]
    progress: Progress
    silence: float
    deadline: float
    done: int = field(default=0, init=False)
    offered: int = field(default=0, init=False)

    def fetch(self) -> None:
        """One try."""
        free = shutil.disk_usage(self.target.parent).free
        if free < self.size:
            needs = f"{megabytes(self.size)} needed, {megabytes(free)} free in {self.target.parent}"
            raise RefusedError(f"disk full: {needs}")
        part = self.target.with_name(f".{self.target.name}.part")
        keep = False
        try:
            with open_part(part) as file:
                begun = self.done = file.seek(0, os.SEEK_END) if self.digests else 0
                try:
                    self._receive(file)
                except (_AgainError, KeyboardInterrupt):
                    keep = bool(self.digests) and self.done > 0
                    raise
                file.flush()
                os.fsync(file.fileno())
            if wrong := self._wrong(part):
                raise (_AgainError if begun else RefusedError)(wrong)
            part.replace(self.target)
        finally:
            if not keep:
                part.unlink(missing_ok=True)

    def _receive(self, file: IO[bytes]) -> None:
        """Write the rest behind what is here, or all of it where the server gives no rest."""
        with self._network():
            answer = self._ask()
        try:
            self._look(answer, file)
            most = self.offered or self.size or MOST
            while True:
                with self._network():
                    data = _piece(answer)
                if not data:
                    break
                self.done += len(data)
                if self.done > most:
                    raise RefusedError(f"the server sent more than the {most:,} bytes expected")
                file.write(data)
                self.progress(self.done, self.size or self.offered or None, self.target.name)
                if time.monotonic() > self.deadline:
                    raise _AgainError(f"too slow: the time was over after {self._so_far()}")
        finally:
            answer.close()
        if self.done < most and (self.offered or self.size):
            raise _AgainError(f"it ended after {self.done:,} of {most:,} bytes")

    def _ask(self) -> requests.Response:
        """The server's answer, after all redirections."""
        # A coded transfer would be counted packed.
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={self.done}-"} if self.done else {})}
        url = self.url
        for _ in range(_HOPS):
            answer = self._answer(url, headers)
            if answer.status_code not in _MOVED or "Location" not in answer.headers:
                return answer
            answer.close()
            url = redirected(url, answer.headers["Location"])
        raise RefusedError(f"the server redirects more than {_HOPS} times")

    def _answer(self, url: str, headers: Mapping[str, str]) -> requests.Response:
        """An answer's head. A thread waits for it, since no time limit of requests ends a head that drips."""
        import requests

        answers: SimpleQueue[requests.Response | Exception] = SimpleQueue()

        def ask() -> None:
            try:
                answers.put(
                    requests.get(url, headers=headers, stream=True, timeout=self.silence, allow_redirects=False)
                )
            except Exception as error:
                answers.put(error)

        threading.Thread(target=ask, daemon=True).start()
        most = max(min(2 * self.silence, self.deadline - time.monotonic()), 0.01)
        try:
            answer = answers.get(timeout=most)
        except Empty:
            raise RefusedError(f"the server had not answered whole after {most:.3g} s") from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _look(self, answer: requests.Response, file: IO[bytes]) -> None:
        """Refuse early what cannot be the file; go to where its bytes belong."""
        status, headers = answer.status_code, answer.headers
        if status == 416 and self.done:
            file.truncate(0)
            raise _AgainError("the server has no rest to give")
        if status not in (200, 206):
            kind = _AgainError if status in _BUSY else RefusedError
            raise kind(f"the server answered {status} {' '.join(str(answer.reason).split())[:80]}")
        if headers.get("Content-Type", "").startswith("text/html"):
            raise RefusedError("the server sent a web page instead of the file")
        if headers.get("Content-Encoding", "identity") != "identity":
            raise RefusedError("the server sent the file coded, though it was asked not to")
        length = headers.get("Content-Length", "")
        if length and not length.isdecimal():
            raise RefusedError(f"the server sent a malformed Content-Length ({length[:40]!r})")
        begun = self._begun(headers.get("Content-Range", "")) if status == 206 else 0
        self.offered = begun + int(length) if length else 0
        if self.offered and self.size and self.offered != self.size:
            raise RefusedError(f"the server offers {self.offered:,} bytes, {self.size:,} are expected")
        if self.offered > MOST and not self.size:
            raise RefusedError(f"the server offers {self.offered:,} bytes, at most {MOST:,} are fetched")
        self.done = file.seek(begun)
        file.truncate()

    def _begun(self, given: str) -> int:
        found = re.fullmatch(r"bytes (\d{1,18})-\d{1,18}/(?:\d{1,18}|\*)", given)
        if found is None or int(found[1]) != self.done:
            raise RefusedError(f"the server sent another part than was asked for ({given[:40]!r})")
        return self.done

    @contextmanager
    def _network(self) -> Iterator[None]:
        """Tell an error of the network from one of the disk."""
        from http.client import HTTPException  # it loads ssl

        import urllib3

        try:
            yield
        except (OSError, urllib3.exceptions.HTTPError, HTTPException, ValueError) as error:
            kind = _AgainError if self.offered or self.done else RefusedError
            raise kind(self._reason(error)) from None

    def _reason(self, error: Exception) -> str:
        so_far = f"after {self._so_far()}" if self.done else "before any byte came"
        if "timed out" in str(error):
            return f"the server stayed silent for {self.silence:g} s {so_far}"
        cause = _cause(error)
        return f"the connection broke {so_far} ({cause})" if self.done else f"no connection ({cause})"

    def _so_far(self) -> str:
        most = self.size or self.offered
        return f"{self.done:,} of {most:,} bytes" if most else f"{self.done:,} bytes"

    def _wrong(self, part: Path) -> str:
        """What is wrong with the whole file; empty where it is what was wanted."""
        for algorithm, wanted in self.digests.items():
            if (found := digest(part, None, algorithm)) != wanted:
                return f"its {algorithm} is {found}, not {wanted}: damaged, or another file"
        return ""


def redirected(url: str, location: str) -> str:
    """Where a redirection leads to.

    Raises:
        RefusedError: not to https; http leads to http only from http.
    """
    other = urljoin(url, location)
    schemes = urlsplit(url).scheme, urlsplit(other).scheme
    if schemes[1] != "https" and schemes != ("http", "http"):
        raise RefusedError(f"the server redirects to {other[:200]!r}, which is not https")
    return other


def _piece(answer: requests.Response) -> bytes:
    """The bytes that have come, so that one who drips is seen; old urllib3 waits for 64 KB."""
    read = getattr(answer.raw, "read1", answer.raw.read)
    data: bytes = read(_CHUNK)
    return data


def _cause(error: BaseException) -> str:
    """The innermost reason: urllib3 and requests wrap a system's error several times."""
    inner = getattr(error, "reason", None) or error.__cause__ or error.__context__
    if isinstance(inner, BaseException):
        return _cause(inner)
    return " ".join((getattr(error, "strerror", None) or str(error) or type(error).__name__).split())[:200]


def megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
