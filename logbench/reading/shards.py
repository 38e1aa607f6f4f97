"""Cut plain text files into shards at line ends, and lay a shard out as a log of its own."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..base.errors import DataError
from ..base.temporary_folders import temporary_folder
from .found_files import opener

# Bytes that are copied or looked through at a time.
BLOCK = 1 << 22


@dataclass(frozen=True)
class Piece:
    """Bytes `begin` to `end` of a file, whole lines.

    Attributes:
        name: of the file, relative to the data.
    """

    name: str
    begin: int
    end: int


def cut(files: Sequence[Path], base: Path, shards: int) -> list[tuple[Piece, ...]]:
    """Pieces of files in their order, about as many bytes in each shard; fewer shards where lines are few.

    Raises:
        DataError: a file is packed, so that no line in it can be found by its byte.
    """
    for file in files:
        if opener(file)[0] is not None:
            raise DataError(f"{file}: packed, so it cannot be read in shards; unpack it")
    sizes = [file.stat().st_size for file in files]
    whole, starts = sum(sizes), [sum(sizes[:at]) for at in range(len(files))]
    edges = [0]
    for number in range(1, shards):
        asked = whole * number // shards
        at = max(place for place, start in enumerate(starts) if start <= asked)
        edges.append(starts[at] + _line_end(files[at], asked - starts[at]))
    edges = sorted({*edges, whole})
    found = []
    for begin, end in itertools.pairwise(edges):
        pieces = [
            Piece(_name(file, base), max(0, begin - start), min(size, end - start))
            for file, start, size in zip(files, starts, sizes, strict=True)
            if start < end and begin < start + size
        ]
        found.append(tuple(pieces))
    return found


def _line_end(file: Path, at: int) -> int:
    """The byte behind the first line end at or behind a byte; the file's size if there is none."""
    with file.open("rb") as opened:
        opened.seek(max(0, at - 1))
        while block := opened.read(BLOCK):
            if (end := block.find(b"\n")) >= 0:
                return opened.tell() - len(block) + end + 1
        return opened.tell()


def _name(file: Path, base: Path) -> str:
    return os.path.relpath(file, base if base.is_dir() else base.parent)


@contextmanager
def laid_out(base: Path, pieces: Sequence[Piece], beside: Sequence[Path]) -> Iterator[Path]:
    """Pieces as files of their names in a temporary folder, with links to the files `beside` them.

    Gives the folder, or the file where `base` is one.
    """
    root = base if base.is_dir() else base.parent
    with temporary_folder() as folder:
        for piece in pieces:
            (target := folder / piece.name).parent.mkdir(parents=True, exist_ok=True)
            with (root / piece.name).open("rb") as source, target.open("wb") as copied:
                source.seek(piece.begin)
                left = piece.end - piece.begin
                while left and (block := source.read(min(BLOCK, left))):
                    copied.write(block)
                    left -= len(block)
        for file in beside:
            target = folder / _name(file, base)
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                target.symlink_to(file.resolve())
            except OSError:
                shutil.copyfile(file, target)
        yield folder if base.is_dir() else folder / base.name


def lines_in(base: Path, pieces: Sequence[Piece]) -> int:
    """Number of lines of pieces; a last one without an end counts."""
    root, count = (base if base.is_dir() else base.parent), 0
    for piece in pieces:
        with (root / piece.name).open("rb") as source:
            source.seek(piece.begin)
            left, last = piece.end - piece.begin, b"\n"
            while left and (block := source.read(min(BLOCK, left))):
                count, left, last = count + block.count(b"\n"), left - len(block), block[-1:]
            count += last != b"\n"
    return count
