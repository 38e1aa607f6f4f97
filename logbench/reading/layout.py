"""Opens raw files wherever they lie: a folder, a zip archive read in place, one file, gzip or zstandard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from zipfile import ZipInfo

import polars as pl

from ..base.errors import DataError
from ..base.file_digests import digest
from .archives import open_gzip, open_plain, open_zip, open_zstd, packing, zip_entries
from .byte_streams import Stream, readable, scannable

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
    """Find a data set's files in a folder or a zip archive; `path` may be a lone member itself.

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
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    with readable(str(path)):
        find, there = _finder(path, members, max_bytes)
        found: dict[str, Member] = {}
        for name in (*members, *optional):
            matches = find(name)
            if len(matches) > 1:
                names = _some(m.stream.name.removeprefix(f"{path}: ") for m in matches)
                raise DataError(f"{path}: {name} must be one file, there are {names}")
            if matches:
                found[name] = matches[0]
            elif name not in optional:
                raise DataError(f"{path}: has no {name}; there is {_some(there())}")
    return found


_Find = Callable[[str], list[Member]]
_Names = Callable[[], Iterator[str]]


def _finder(path: Path, members: Sequence[str], limit: int | None) -> tuple[_Find, _Names]:
    """How to find a member in what `path` is, and what to say is there if it is not."""
    if path.is_dir():
        return partial(_in_folder, path, limit), lambda: (entry.name for entry in path.iterdir())
    if not path.is_file():
        raise DataError(f"{path}: neither a regular file nor a folder; save the log to a file first")
    if packing(path) == "zip":
        entries = zip_entries(path)
        return partial(_in_zip, path, entries, limit), lambda: (entry.filename for entry in entries)
    if len(members) != 1:
        raise DataError(f"{path}: is one file; give the zip archive or the folder with {_some(members)}")
    itself = _on_disk(members[0], path, limit)
    return lambda name: [itself] if name == members[0] else [], lambda: iter(())


def _in_folder(folder: Path, limit: int | None, name: str) -> list[Member]:
    for suffix in ("", ".gz", ".zst"):
        if hits := sorted(hit for hit in folder.glob(name + suffix) if hit.is_file()):
            return [_on_disk(name, hit, limit) for hit in hits]
    return []


def _on_disk(name: str, path: Path, limit: int | None) -> Member:
    packed = packing(path)
    if packed == "zip":
        raise DataError(f"{path}: an archive inside a folder; point to the archive itself")
    if packed is None:
        return Member(name, path, Stream(str(path), partial(open_plain, path)))
    opener = open_gzip if packed == "gzip" else open_zstd
    return Member(name, path, Stream(str(path), partial(opener, path), limit), plain=False)


def _in_zip(path: Path, entries: list[ZipInfo], limit: int | None, name: str) -> list[Member]:
    hits = [e for e in entries if fnmatchcase(e.filename, name)]
    hits = hits or [e for e in entries if fnmatchcase(e.filename, f"*/{name}")]
    for entry in hits:
        where = f"{path}: {entry.filename}"
        if entry.flag_bits & 1:
            raise DataError(f"{where} is encrypted; unpack it and point to the folder")
        if limit is not None and entry.file_size > limit:
            raise DataError(f"{where} unpacks to {entry.file_size:,} bytes, more than the {limit:,} allowed")
    return [
        Member(name, path, Stream(f"{path}: {e.filename}", partial(open_zip, path, e), limit), False) for e in hits
    ]


def _some(names: Sequence[str] | Iterator[str], most: int = 5) -> str:
    known = sorted(names)
    more = f" and {len(known) - most} more" if len(known) > most else ""
    return (", ".join(known[:most]) or "nothing") + more
