"""Columns of events as they are read, and sorted by unit: in memory, or in files where they are many."""

from __future__ import annotations

import errno
import os
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from mmap import mmap
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from ..base.files import for_temporary_files, written
from ..base.freed_memory import lent, unload
from ..base.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Events kept in memory, some 20 bytes each; more go to temporary files (HDFS_v1: 11 million).
IN_MEMORY = 1 << 24
# Events of a block.
BLOCK = 1 << 20


class EventBuffer:
    """Columns of one length, numbers of any fixed type, which grow by chunks; the same columns in each.

    Files are unlinked while they are open, so a killed process leaves nothing behind.
    """

    def __init__(self) -> None:
        self.events = 0
        self._blocks: list[_Block] = []
        self._sizes: list[int] = []
        self._files: dict[str, IO[bytes]] = {}
        self._dtypes: dict[str, np.dtype[Any]] = {}
        weakref.finalize(self, _close, self._files)

    def add(self, **columns: NDArray[Any]) -> None:
        """Keep a copy of one more chunk, arrays [n] each.

        Raises:
            DataError: the files cannot be written.
        """
        size, done = len(next(iter(columns.values()))), 0
        self._dtypes = self._dtypes or {name: column.dtype for name, column in columns.items()}
        while done < size:
            if not self._blocks or self._blocks[-1].size == BLOCK:
                if self.events >= IN_MEMORY:
                    self._spill()
                self._blocks.append(_Block(self._dtypes))
            count = self._blocks[-1].fill({name: column[done:] for name, column in columns.items()})
            done, self.events = done + count, self.events + count

    def _spill(self) -> None:
        for block in self._blocks:
            self._sizes.append(block.size)
            for name, column in block.columns().items():
                if name not in self._files:
                    self._files[name] = _file()
                with written(for_temporary_files()):
                    self._files[name].write(column.data)
        self._blocks = []

    def __iter__(self) -> Iterator[Mapping[str, NDArray[Any]]]:
        """The columns in blocks, in order, each read anew where it lies in a file."""
        yield from self._in_files()
        for block in self._blocks:
            yield block.columns()

    def _in_files(self) -> Iterator[Mapping[str, NDArray[Any]]]:
        for file in self._files.values():
            file.seek(0)
        for size in self._sizes:
            yield {name: np.fromfile(file, self._dtypes[name], size) for name, file in self._files.items()}

    def _taken(self) -> Iterator[Mapping[str, NDArray[Any]]]:
        """The same blocks; each leaves the memory when the next one is asked for."""
        yield from self._in_files()
        self._sizes = []
        _close(self._files)
        self._files.clear()
        self._blocks.reverse()
        while self._blocks:
            yield self._blocks.pop().columns()

    def sorted(self, sizes: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Every column but `unit` sorted by it, order of reading kept within each unit.

        The buffer is empty afterwards, so that memory holds the columns once.

        Args:
            sizes: int64 [units], events of each unit; column `unit` numbers them from 0.

        Raises:
            DataError: the files cannot be written.
        """
        place, found = (np.cumsum(sizes) - sizes).astype(np.int64), kernel()
        columns = {name: array(self.events, dtype) for name, dtype in self._dtypes.items() if name != "unit"}
        for chunk in self._taken():
            at = found.places(chunk["unit"], place) if found else _places(chunk["unit"], place)
            for name, target in columns.items():
                target[at] = chunk[name]
            if self.events > IN_MEMORY:
                unload()
        return columns


class _Block:
    """Up to `BLOCK` events in pages of their own, which the system has again at once when the block goes.

    Args:
        dtypes: type of each column.
    """

    def __init__(self, dtypes: Mapping[str, np.dtype[Any]]) -> None:
        self.size = 0
        self._columns = {
            name: np.frombuffer(mmap(-1, BLOCK * dtype.itemsize), dtype) for name, dtype in dtypes.items()
        }

    def fill(self, columns: Mapping[str, NDArray[Any]]) -> int:
        """Copy what there is room for; the number of events."""
        count = min(BLOCK - self.size, len(next(iter(columns.values()))))
        for name, column in columns.items():
            self._columns[name][self.size : self.size + count] = column[:count]
        self.size += count
        return count

    def columns(self) -> dict[str, NDArray[Any]]:
        """What was filled in."""
        return {name: column[: self.size] for name, column in self._columns.items()}


def _places(unit: NDArray[np.int32], place: NDArray[np.int64]) -> NDArray[np.int64]:
    """What `Kernel.places` gives, by numpy."""
    order = np.argsort(unit, kind="stable")
    begin = np.flatnonzero(np.diff(unit[order], prepend=-1))
    count = np.diff(begin, append=len(order))
    met = unit[order[begin]]
    at = np.empty(len(unit), dtype=np.int64)
    at[order] = np.repeat(place[met] - begin, count) + np.arange(len(order))
    place[met] += count
    return at


def array(size: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """An uninitialised column of events, in memory or, where they are many, in an unlinked file.

    Raises:
        DataError: there is no room for the file.
    """
    if size <= IN_MEMORY:
        return np.empty(size, dtype)
    with _file() as file:
        _reserve(file, size * dtype.itemsize)
        return lent(np.memmap(file, dtype, "w+", shape=(size,)))


def parts(size: int) -> Iterator[slice]:
    """Events in parts of `BLOCK`, in order; where columns lie in files, a part leaves the memory with the next.

    Args:
        size: number of events.
    """
    for begin in range(0, size, BLOCK):
        yield slice(begin, begin + BLOCK)
        if size > IN_MEMORY:
            unload()


def _close(files: Mapping[str, IO[bytes]]) -> None:
    for file in files.values():
        file.close()


def _file() -> IO[bytes]:
    with written(folder := for_temporary_files()):
        return tempfile.TemporaryFile(dir=folder)


def _reserve(file: IO[bytes], size: int) -> None:
    """Take the room at once: where a disk is full, the system kills a process that fills a mapped file."""
    if hasattr(os, "posix_fallocate"):  # not on Windows and macOS
        with written(for_temporary_files()):
            try:
                os.posix_fallocate(file.fileno(), 0, size)
            except OSError as error:
                if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):  # a file system that takes none in advance
                    raise
