"""Data that lie elsewhere: `s3://…`, `gs://…`, `sftp://…`, `https://…` are copied to the cache, and read there.

Any file system of fsspec will do (filesystem-spec.readthedocs.io); `http` and `https` need no further package. A
copy is made again when sizes, times or tags of the files are others.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from ..base.errors import DataError
from ..base.files import root, whole
from ..base.progress import Progress, silent
from .download import Patience, RefusedError, download

FOLDER = "remote"
# Facts of a file that tell whether it is another one; each file system has its own.
TELLING = ("size", "mtime", "created", "updated", "LastModified", "last_modified", "ETag", "etag", "md5Hash")
Get = Callable[[str, Path, Progress], None]


@dataclass(frozen=True)
class _Remote:
    """Files that lie elsewhere.

    Attributes:
        name: of the file or folder. folder: whether it is one.
        facts: what tells whether a file has changed, by its name below the folder.
        get: copies a file by that name.
    """

    name: str
    folder: bool
    facts: Mapping[str, Mapping[str, Any]]
    get: Get


def url_of(path: Path) -> str:
    """The address that a path was given as; empty for a path of this machine.

    Examples:
        >>> url_of(Path("s3://bucket/logs/a.log")), url_of(Path("logs/a.log"))
        ('s3://bucket/logs/a.log', '')
    """
    found = re.match(r"([A-Za-z][A-Za-z0-9+-]+):/+(.*)", path.as_posix())  # a path has lost the second slash
    if found is None or path.exists():
        return ""
    scheme = found[1].lower()
    return f"{scheme}://{'/' if scheme in ('file', 'local') else ''}{found[2]}"


def at_hand(path: Path, progress: Progress = silent, note: Callable[[str], None] = lambda _: None) -> Path:
    """The path itself, or that of a copy where it is an address.

    Args:
        note: is told where the address cannot be reached and the copy of before is read.

    Raises:
        DataError: a package is missing, or the address cannot be read; one line.
    """
    if not (url := url_of(path)):
        return path
    scheme = url.partition(":")[0]
    if scheme in ("file", "local"):
        return Path(unquote(urlsplit(url).path))
    place = root() / FOLDER / hashlib.sha256(url.encode()).hexdigest()[:16]
    try:
        with _readable(url):
            there = _of_web(url) if scheme in ("http", "https") else _of_fsspec(url)
    except DataError as error:
        if copies := sorted(place.glob("*/*"), key=lambda one: one.parent.stat().st_mtime):
            note(f"{error}; read as it was copied before")
            return copies[-1]
        raise
    stamp = hashlib.sha256(json.dumps(there.facts, sort_keys=True, default=str).encode()).hexdigest()[:16]
    target = place / stamp
    if not target.exists():
        with whole(target) as folder, _readable(url):
            _copy(there, folder / there.name, progress)
        for old in place.iterdir():
            if old != target:
                shutil.rmtree(old, ignore_errors=True)
    return target / there.name


def _copy(there: _Remote, target: Path, progress: Progress) -> None:
    total = sum(facts.get("size") or 0 for facts in there.facts.values()) or None
    done = 0
    for name, facts in there.facts.items():
        if ".." in PurePosixPath(name).parts:
            raise DataError(f"{there.name}: {name!r} leads out of the folder")
        file = target / name if there.folder else target
        file.parent.mkdir(parents=True, exist_ok=True)
        there.get(name, file, progress if len(there.facts) == 1 else silent)
        done += facts.get("size") or 0
        progress(done, total, name or there.name)


def _of_web(url: str) -> _Remote:
    """One file of a web server; `facts` are what its head says."""
    import requests

    with requests.head(url, timeout=30, allow_redirects=True) as answer:
        if answer.status_code not in (403, 405, 501):  # a signed address allows GET alone
            answer.raise_for_status()
        head = answer.headers if answer.ok else {}
    facts = {name: head[name] for name in ("ETag", "Last-Modified", "Content-Length") if name in head}
    name = PurePosixPath(unquote(urlsplit(url).path)).name or "index"

    def get(_: str, target: Path, progress: Progress) -> None:
        download(url, target, int(facts.get("Content-Length", 0)), {}, progress, Patience())

    return _Remote(name, False, {"": {**facts, "size": int(facts.get("Content-Length", 0))}}, get)


def _of_fsspec(url: str) -> _Remote:
    """A file, or the files below a folder, of any file system of fsspec."""
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise DataError(f"{url}: needs the package fsspec: pip install 'logbench-harness[remote]'") from None
    scheme = url.partition(":")[0]
    try:
        files, path = url_to_fs(url)
    except ImportError as error:
        raise DataError(f"{url}: {error} (pip install 'logbench-harness[remote]')") from None
    except ValueError:
        raise DataError(f"{url}: no such file or folder, and fsspec knows no protocol {scheme!r}") from None
    path = str(path).rstrip("/")
    folder = bool(files.isdir(path))
    found = files.find(path, detail=True) if folder else {path: files.info(path)}
    facts = {
        str(name).removeprefix(path).strip("/"): {key: info[key] for key in TELLING if info.get(key) is not None}
        for name, info in sorted(found.items())
        if info.get("type") != "directory"
    }
    if not facts:
        raise DataError(f"{url}: there is no file")

    def get(name: str, target: Path, _: Progress) -> None:
        files.get_file(f"{path}/{name}" if name else path, str(target))

    return _Remote(PurePosixPath(path).name or scheme, folder, facts, get)


@contextmanager
def _readable(url: str) -> Iterator[None]:
    """Turn what file systems and servers raise into one line."""
    try:
        yield
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(f"{url}: no such file or folder") from None
    except RefusedError as error:
        raise DataError(f"{url}: {error}") from None
    except Exception as error:  # of whatever package reads this protocol
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(f"{url}: cannot be read: {reason}") from None
