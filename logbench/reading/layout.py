"""Opens raw files wherever they lie: a folder, a zip or tar archive read in place, one file, gzip or zstandard."""

from __future__ import annotations

import builtins
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import IO
from zipfile import ZipFile, ZipInfo

import polars as pl

from ..base.errors import DataError
from ..base.file_digests import digest
from .archives import debris, open_zip, packing, zip_entries
from .byte_streams import Stream, readable, scannable
from .found_files import check_path, hits, opener, some
from .tar_archives import is_tar, open_in_tar, readable_member
from .tar_archives import members as members_of_tar

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

    def valid(self) -> Iterator[builtins.bytes]:
        """The same lines as valid UTF-8, in chunks cut after line ends.

        Raises:
            DataError: unreadable.
        """
        return self.stream.valid()

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
    members that are links, devices or lead out of it are refused, and nothing is ever unpacked to disk.

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
        archive = _tar(path) if is_tar(path) else _zip(path)
        return partial(archive.find, limit), lambda: (entry.name for entry in archive.entries)
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


@dataclass(frozen=True)
class _Archive:
    """What an archive holds.

    Attributes:
        left_out: names of links, devices, and members that lead out of it.
    """

    path: Path
    entries: list[_Entry]
    left_out: list[str]

    def find(self, limit: int | None, name: str) -> list[Member]:
        """Members that a name means.

        Raises:
            DataError: one is encrypted, too large, or left out.
        """
        ways = (name, f"*/{name}")
        if out := [one for one in self.left_out if any(fnmatchcase(one.replace("\\", "/"), way) for way in ways)]:
            raise DataError(
                f"{self.path}: {out[0]!r} is a link or a device, or leads out of the archive; unpack it with care "
                "and point to the folder"
            )
        named = next(filter(None, ([e for e in self.entries if fnmatchcase(e.name, way)] for way in ways)), [])
        for entry in named:
            where = f"{self.path}: {entry.name}"
            if entry.encrypted:
                raise DataError(f"{where} is encrypted; unpack it and point to the folder")
            if limit is not None and entry.size > limit:
                raise DataError(f"{where} unpacks to {entry.size:,} bytes, more than the {limit:,} allowed")
        return [Member(name, self.path, Stream(f"{self.path}: {e.name}", e.open, limit), False) for e in named]


def _zip(path: Path) -> _Archive:
    within, outside = zip_entries(path)
    entries = [
        _Entry(e.filename, e.file_size, partial(_open_in_zip, path, e), bool(e.flag_bits & 1)) for e in within
    ]
    return _Archive(path, entries, outside)


def _open_in_zip(path: Path, entry: ZipInfo) -> IO[bytes]:
    with ZipFile(path) as archive:  # the member keeps the file open until it is closed itself
        return open_zip(archive, entry)


def _tar(path: Path) -> _Archive:
    made = _Archive(path, [], [])
    for _, member in members_of_tar(path):
        if readable_member(member):
            name = member.name.removeprefix("./")
            made.entries.append(_Entry(name, member.size, partial(open_in_tar, path, member.name)))
        elif not (member.isdir() or debris(member.name)):
            made.left_out.append(member.name)
    return made
