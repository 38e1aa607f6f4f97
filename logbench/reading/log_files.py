"""The text files of a log, in order, wherever they lie: in folders, by globs, packed, in zip and tar archives."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any, cast
from zipfile import ZipFile

from ..base.errors import DataError
from ..base.unpack_limits import ceiling, refusal
from .archives import debris, open_zip, packing, zip_entries
from .byte_streams import Stream, readable
from .found_files import check_below, check_path, fits, hits, opener, some
from .raw_file import RawFile
from .tar_archives import is_tar, members, readable_member

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class LogFile:
    """One text file as it is reached: `name` for people and the column `file`, `stream` its bytes."""

    name: str
    stream: Stream

    def chunks(self) -> Iterator[bytes]:
        """Its bytes cut after line ends, without a byte order mark.

        Raises:
            DataError: it is UTF-16, which must be said, or cannot be read.
        """
        with readable(self.stream.name):
            for number, chunk in enumerate(self.stream.chunks()):
                if number == 0 and chunk.startswith(_UTF16):
                    raise DataError(f'{self.stream.name}: is UTF-16; set encoding = "utf-16"')
                yield chunk.removeprefix(codecs.BOM_UTF8) if number == 0 else chunk


@dataclass(frozen=True)
class LogFiles:
    """All text files of a log. Each pass opens them anew.

    Attributes:
        path: what the user points to; names are relative to it where it is a folder.
        files: files on disk, in order; archives among them.
        wanted: wildcards for the names of archive members, in any folder of it; empty: all.
        encoding: of the bytes, as Python calls it.
        sizes: bytes of each file when it was found. No pass reads further, so that all see the same lines of a
            file that grows.
        skipped: members that fit but were not read, by archive, as the last pass found them: links, devices, and
            those whose names lead out of it.
    """

    path: Path
    files: tuple[Path, ...]
    wanted: tuple[str, ...]
    encoding: str
    sizes: tuple[int, ...]
    skipped: dict[Path, int] = field(default_factory=dict, compare=False, repr=False)

    @property
    def left_out(self) -> int:
        """Members that fit but were not read, see `skipped`."""
        return sum(self.skipped.values())

    @property
    def grown(self) -> int:
        """Files that have grown since they were found; one that is gone has not."""
        now = (file.stat().st_size if file.exists() else 0 for file in self.files)
        return sum(size > before for size, before in zip(now, self.sizes, strict=True))

    def __iter__(self) -> Iterator[LogFile]:
        """The texts: files in order, of a zip archive by pattern and name, of a tar archive as they lie.

        Raises:
            DataError: an archive is damaged, or has no member that is wanted.
        """
        for file, size in zip(self.files, self.sizes, strict=True):
            with readable(str(file)):
                if is_tar(file):
                    yield from self._in_tar(file)
                    continue
                if packing(file) == "zip":
                    yield from self._in_zip(file)
                    continue
                name = file.relative_to(self.path).as_posix() if file.is_relative_to(self.path) else str(file)
                packed, unpacked = opener(file)
                unpacked = unpacked if packed else partial(_open_until, file, size)
                yield self._text(file.name if name == "." else name, str(file), unpacked)

    def _text(self, name: str, where: str, opener: Callable[[], IO[bytes]]) -> LogFile:
        return LogFile(name, Stream(where, partial(_decoded, opener, self.encoding)))

    def _rank(self, name: str) -> int | None:
        """Which of the wildcards an archive member fits first; None: it is not wanted."""
        for number, pattern in enumerate(self.wanted):
            if fits(name, pattern):
                return number
        return None if self.wanted else 0

    def _in_zip(self, file: Path) -> Iterator[LogFile]:
        within, outside = zip_entries(file)
        self.skipped[file] = sum(self._rank(name) is not None for name in outside)
        ranked = ((self._rank(entry.filename), entry.filename, entry) for entry in within)
        entries = [one[2] for one in sorted((r for r in ranked if r[0] is not None), key=lambda r: r[:2])]
        packed = file.stat().st_size
        if sum(entry.file_size for entry in entries) > (most := ceiling(packed)):  # members may share their bytes
            raise refusal(str(file), packed, most)
        archive = ZipFile(file)  # closed with the last text: many small ones would each read the list of members
        for entry in entries:
            if entry.flag_bits & 1:
                raise DataError(f"{file}: {entry.filename} is encrypted; unpack it and point to the folder")
            yield self._text(entry.filename, f"{file}: {entry.filename}", partial(open_zip, archive, entry))
        self._some(file, len(entries))

    def _in_tar(self, file: Path) -> Iterator[LogFile]:
        count = skipped = 0
        for archive, member in members(file):
            if member.isdir() or debris(member.name) or self._rank(member.name) is None:
                continue
            if not readable_member(member):
                skipped += 1
                continue
            count += 1
            opener = cast("Callable[[], IO[bytes]]", partial(archive.extractfile, member))
            yield self._text(member.name, f"{file}: {member.name}", opener)
        self.skipped[file] = skipped
        self._some(file, count)

    def _some(self, file: Path, count: int) -> None:
        if not count:
            number = self.skipped[file]
            left_out = f"; {number:,} left out: links, devices, names that lead out" if number else ""
            raise DataError(f"{file}: has no file {' or '.join(self.wanted) or 'at all'}{left_out}")


def find_texts(path: Path, patterns: Sequence[str], encoding: str = "utf-8", *, least: bool = True) -> LogFiles:
    """The texts that `patterns` name.

    Args:
        path: a folder, in which the patterns are looked up (absolute ones stay as they are), also with `.gz` or
            `.zst` behind; or one file, taken as it is, an archive's members chosen by the patterns.
        patterns: wildcards as in `logs/*.log`, `**` for any folders; by pattern, each sorted by name.
        least: a folder without any such file is an error.

    Raises:
        DataError: `path` is missing or no file or folder, or nothing matches.
    """
    check_path(path)
    found = [hit for pattern in patterns for hit in _hits(path, pattern)] if path.is_dir() else [path]
    files = tuple(dict.fromkeys(found))
    if not files and least:
        there = some(entry.name for entry in path.iterdir())
        raise DataError(f"{path}: no file matches {' or '.join(patterns)}; there is {there}")
    with readable(str(path)):
        sizes = tuple(file.stat().st_size for file in files)
    return LogFiles(
        path, files, tuple(Path(p).name if Path(p).is_absolute() else p for p in patterns), encoding, sizes
    )


def _hits(folder: Path, pattern: str) -> list[Path]:
    check_below(pattern)
    start = Path(Path(pattern).anchor) if Path(pattern).is_absolute() else folder
    inner = str(Path(pattern).relative_to(start)) if Path(pattern).is_absolute() else pattern
    return hits(start, inner)


class _Until(RawFile):
    """A file that ends after `left` bytes, however long it has become."""

    def __init__(self, path: Path, left: int) -> None:
        super().__init__(path.open("rb", buffering=0))
        self._left = left

    def read(self, size: int = -1) -> bytes:
        """No more than is left, because a buffer of `size` bytes takes longer than a small file."""
        found = self._file.read(self._left if size < 0 else min(size, self._left)) if self._left else b""
        self._left -= len(found)
        return found


def _open_until(path: Path, size: int) -> IO[bytes]:
    return cast("IO[bytes]", _Until(path, size))


def _decoded(opener: Callable[[], IO[bytes]], encoding: str) -> IO[bytes]:
    """The file as UTF-8; what `encoding` cannot read is replaced."""
    file = opener()
    if encoding in ("utf-8", "utf8"):
        return file
    return cast("IO[bytes]", codecs.EncodedFile(cast(Any, file), "utf-8", encoding, "replace"))
