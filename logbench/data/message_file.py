"""Messages in bytes with offsets, mostly mapped from a file: any of them by number, none kept in memory."""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..base.files import written

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Messages that are Python objects at once.
BLOCK = 1 << 16
FILES = ("messages.bin", "messages.npy")


class MessageFile:
    """Messages one after another, as UTF-8.

    Args:
        data: all of them.
        offsets: int64 [messages + 1], where each begins.
        numbers: ascending [messages], what they are asked by; None: 0, 1, 2 …
    """

    def __init__(self, data: bytes | mmap.mmap, offsets: NDArray[np.int64], numbers: Any = None) -> None:
        self._data, self._offsets, self._numbers = data, offsets, numbers

    def __len__(self) -> int:
        return len(self._offsets) - 1

    @classmethod
    def of(cls, messages: pl.Series, numbers: Any = None) -> MessageFile:
        """Messages in memory, String; see the class."""
        data, ends = encoded(messages)
        return cls(data, np.concatenate([[0], ends]), numbers)

    @classmethod
    def mapped(cls, data: IO[bytes], offsets: NDArray[np.int64]) -> MessageFile:
        """Messages in an open file, which may be closed and removed then."""
        data.flush()
        return cls(mmap.mmap(data.fileno(), 0, access=mmap.ACCESS_READ) if offsets[-1] else b"", offsets)

    @classmethod
    def read(cls, folder: Path) -> MessageFile:
        """Messages in the files of a folder, see `write`."""
        with (folder / FILES[0]).open("rb") as file:
            return cls.mapped(file, np.load(folder / FILES[1], mmap_mode="r", allow_pickle=False))

    def pick(self, numbers: NDArray[Any]) -> pl.Series:
        """The messages of these numbers, in this order, String."""
        rows = numbers if self._numbers is None else np.searchsorted(self._numbers, numbers)
        blocks = [rows[begin : begin + BLOCK] for begin in range(0, max(len(rows), 1), BLOCK)]
        return pl.concat([pl.Series("message", self._bytes(b), dtype=pl.Binary).cast(pl.String) for b in blocks])

    def write(self, rows: Iterable[NDArray[Any]], folder: Path) -> None:
        """Write the messages of these numbers into files of a folder, which `read` reads; they count from 0 there.

        Raises:
            DataError: they cannot be written.
        """
        with written(folder), (folder / FILES[0]).open("wb") as file:
            sizes = [np.zeros(1, dtype=np.int64)]
            for chosen in rows:
                found = self._bytes(chosen if self._numbers is None else np.searchsorted(self._numbers, chosen))
                file.write(b"".join(found))
                sizes.append(np.fromiter(map(len, found), dtype=np.int64, count=len(found)))
            np.save(folder / FILES[1], np.cumsum(np.concatenate(sizes)))

    def _bytes(self, rows: NDArray[Any]) -> list[bytes]:
        data, begins, ends = self._data, self._offsets[rows].tolist(), self._offsets[1:][rows].tolist()
        return [data[begin:end] for begin, end in zip(begins, ends, strict=True)]


def encoded(messages: pl.Series) -> tuple[bytes, NDArray[np.int64]]:
    """The bytes of messages one after another, and where each ends, int64 [messages]; null is the empty one."""
    full = messages.fill_null("")
    data = "".join(full.to_list()).encode()
    return data, full.str.len_bytes().cast(pl.Int64).to_numpy().cumsum()


def numbered_blocks(size: int) -> list[tuple[int, int]]:
    """Bounds of blocks of at most `BLOCK` among `size` things."""
    return list(pairwise([*range(0, size, BLOCK), size]))
