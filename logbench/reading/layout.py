"""Opens raw files wherever they lie: a folder, a zip or tar archive read in place, one file, gzip or zstandard."""

from __future__ import annotations

import shlex
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import IO

import polars as pl

from ..base.errors import DataError
from ..base.file_digests import digest
from .archives import inside, open_zip, packing, zip_entries
from .byte_streams import Stream, readable, scannable
from .found_files import check_path, hits, is_tar, open_in_tar, opener, some

__all__ = ["Member", "digest", "open_layout", "scan"]


@dataclass(frozen=True)
class Member:
    """One file of a data set.

    Attributes:
        name: as asked for.
        path: the file on disk; the archive where the member lies inside one.
        stream: its unpacked bytes.
        plain: whether `path` holds these bytes as they are.
    """

    name: str
    path: Path
    stream: Stream
    plain: bool = True

    @property
    def files(self) -> Sequence[Path]:
        """Files on disk, for the digest."""
        return (self.path,)

    @property
    def undecodable(self) -> int:
        """Lines whose bytes are no UTF-8 and were replaced, as far as any pass over `scan()` has come."""
        return self.stream.undecodable

    def scan(self) -> pl.LazyFrame:
        """Columns `line` (UInt32 from 0) and `raw` (String), lazily; each collection reads anew.

        Raises:
            DataError: unreadable; for a packed member only when collected.
        """
        if self.plain and scannable(self.path):
            return pl.scan_lines(self.path, name="raw", row_index_name="line", glob=False)
        return self.stream.scan()

    def bytes(self, limit: int = 1 << 30) -> bytes:
        """The whole member.

        Raises:
            DataError: unreadable, or larger than `limit` bytes.
        """
        return b"".join(Stream(self.stream.name, self.stream.open, limit).blocks())


def scan(path: Path, member: str | None = None) -> pl.LazyFrame:
    """Lines of a file, or of `member` of a zip archive or folder, as `Member.scan` gives them.

    Raises:
        DataError: missing or unreadable, or `member` is None where there is more than one file.
    """
    wanted = member or "*"
    return open_layout(path, [wanted])[wanted].scan()


def open_layout(
    path: Path, members: Sequence[str], *, optional: Sequence[str] = (), max_bytes: int | None = None
) -> dict[str, Member]:
    """Find a data set's files in a folder or a zip or tar archive; `path` may be a lone member itself.

    In an archive they may lie below one more folder, in a folder they may be packed (`HDFS.log.gz`). Archive
    members with absolute names or `..` do not exist for us, and nothing is ever unpacked to disk.

    Args:
        path: what the user points to.
        members: relative names, `/` between folders; wildcards as in `hdfs_test_normal*`, for one file each.
        optional: members that may be absent; they are then not in the answer.
        max_bytes: unpacked bytes of one member beyond which it is refused.

    Raises:
        DataError: one line: `path` is missing, is no archive though it claims to be one, or lacks a member.
    """
    check_path(path)
    with readable(str(path)):
        find, there = _finder(path, members, max_bytes)
        found: dict[str, Member] = {}
        for name in (*members, *optional):
            matches = find(name)
            if len(matches) > 1:
                names = some(m.stream.name.removeprefix(f"{path}: ") for m in matches)
                raise DataError(f"{path}: {name} must be one file, there are {names}")
            if matches:
                found[name] = matches[0]
            elif name not in optional:
                raise DataError(f"{path}: has no {name}; there is {some(there())}{_archive_hint(path)}")
    return found


def _archive_hint(path: Path) -> str:
    """What to type where a folder holds the data in the archive that they are published in."""
    inside = (
        sorted(entry for entry in path.iterdir() if is_tar(entry) or entry.suffix == ".zip")
        if path.is_dir()
        else []
    )
    return f"; to read it give --data {shlex.quote(str(inside[0]))}" if len(inside) == 1 else ""


_Find = Callable[[str], list[Member]]
_Names = Callable[[], Iterator[str]]


def _finder(path: Path, members: Sequence[str], limit: int | None) -> tuple[_Find, _Names]:
    """How to find a member in what `path` is, and what to say is there if it is not."""
    if path.is_dir():
        return partial(_in_folder, path, limit), lambda: (entry.name for entry in path.iterdir())
    if is_tar(path) or packing(path) == "zip":
        entries = _tar_entries(path) if is_tar(path) else _zip_entries(path)
        return partial(_in_archive, path, entries, limit), lambda: (entry.name for entry in entries)
    if len(members) != 1:
        raise DataError(f"{path}: is one file; give the zip archive or the folder with {some(members)}")
    itself = _on_disk(members[0], path, limit)
    return lambda name: [itself] if name == members[0] else [], lambda: iter(())


def _in_folder(folder: Path, limit: int | None, name: str) -> list[Member]:
    return [_on_disk(name, hit, limit) for hit in hits(folder, name)]


def _on_disk(name: str, path: Path, limit: int | None) -> Member:
    packed, unpacked = opener(path)
    return Member(name, path, Stream(str(path), unpacked, limit if packed else None), plain=packed is None)


@dataclass(frozen=True)
class _Entry:
    """A file in an archive, with its unpacked bytes."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]
    encrypted: bool = False


def _zip_entries(path: Path) -> list[_Entry]:
    return [
        _Entry(e.filename, e.file_size, partial(open_zip, path, e), bool(e.flag_bits & 1))
        for e in zip_entries(path)
    ]


def _tar_entries(path: Path) -> list[_Entry]:
    with tarfile.open(path, "r|*") as archive:
        members = [(member.name, member.size) for member in archive if member.isreg() and inside(member.name)]
    return [_Entry(name.removeprefix("./"), size, partial(open_in_tar, path, name)) for name, size in members]


def _in_archive(path: Path, entries: list[_Entry], limit: int | None, name: str) -> list[Member]:
    named = [e for e in entries if fnmatchcase(e.name, name)]
    named = named or [e for e in entries if fnmatchcase(e.name, f"*/{name}")]
    for entry in named:
        where = f"{path}: {entry.name}"
        if entry.encrypted:
            raise DataError(f"{where} is encrypted; unpack it and point to the folder")
        if limit is not None and entry.size > limit:
            raise DataError(f"{where} unpacks to {entry.size:,} bytes, more than the {limit:,} allowed")
    return [Member(name, path, Stream(f"{path}: {e.name}", e.open, limit), False) for e in named]
