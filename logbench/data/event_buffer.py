"""Columns of events as they are read, and sorted by unit: in memory, or in files where they are many."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from ..base.files import for_temporary_files, written
from ..base.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Events kept in memory, 12 bytes each; more go to temporary files (HDFS_v1: 11 million).
IN_MEMORY = 1 << 25


class EventBuffer:
    """Chunks of columns of one length, numbers of any fixed type; the same columns in each.

    Files are unlinked while they are open, so a killed process leaves nothing behind.
    """

    def __init__(self) -> None:
        self.events = 0
        self._chunks: list[dict[str, NDArray[Any]]] = []
        self._sizes: list[int] = []
        self._files: dict[str, IO[bytes]] = {}
        self._dtypes: dict[str, np.dtype[Any]] = {}
        weakref.finalize(self, _close, self._files)

    def add(self, **columns: NDArray[Any]) -> None:
        """Keep one more chunk, arrays [n] each.

        Raises:
            DataError: the files cannot be written.
        """
        self._chunks.append(columns)
        self.events += len(next(iter(columns.values())))
        if self.events > IN_MEMORY:
            self._spill()

    def _spill(self) -> None:
        for chunk in self._chunks:
            self._sizes.append(len(next(iter(chunk.values()))))
            for name, column in chunk.items():
                if name not in self._files:
                    self._files[name], self._dtypes[name] = _file(), column.dtype
                with written(for_temporary_files()):
                    self._files[name].write(np.ascontiguousarray(column).data)
        self._chunks = []

    def __iter__(self) -> Iterator[Mapping[str, NDArray[Any]]]:
        """The chunks in order, each read anew where it lies in a file."""
        for file in self._files.values():
            file.seek(0)
        for size in self._sizes:
            yield {name: np.fromfile(file, self._dtypes[name], size) for name, file in self._files.items()}
        yield from self._chunks

    def sorted(self, sizes: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Every column but `unit` sorted by it, order of reading kept within each unit.

        Args:
            sizes: int64 [units], events of each unit; column `unit` numbers them from 0.

        Raises:
            DataError: the files cannot be written.
        """
        place, found = (np.cumsum(sizes) - sizes).astype(np.int64), kernel()
        columns: dict[str, NDArray[Any]] = {}
        for chunk in self:
            at = found.places(chunk["unit"], place) if found else _places(chunk["unit"], place)
            for name, column in chunk.items():
                if name != "unit":
                    target = columns.setdefault(name, array(self.events, column.dtype))
                    target[at] = column
        return columns


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
    """An uninitialised column of events, in memory or, where they are many, in an unlinked file."""
    if size <= IN_MEMORY:
        return np.empty(size, dtype)
    with _file() as file:
        return np.memmap(file, dtype, "w+", shape=(size,))


def _close(files: Mapping[str, IO[bytes]]) -> None:
    for file in files.values():
        file.close()


def _file() -> IO[bytes]:
    with written(folder := for_temporary_files()):
        return tempfile.TemporaryFile(dir=folder)
