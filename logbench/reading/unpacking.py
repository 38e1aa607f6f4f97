"""Readers of packed files that stop at the limits of `unpack_limits`."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any, cast

from ..base.unpack_limits import ceiling, refusal
from .raw_file import RawFile


def limited(file: IO[bytes], packed: int, name: str) -> IO[bytes]:
    """The same unpacked bytes; reading more than `ceiling` of them is an error.

    Args:
        packed: bytes of the packed file.
        name: how errors name it.
    """
    return cast("IO[bytes]", _Limited(file, packed, name))


def unpacked(file: Any, path: Path) -> IO[bytes]:
    """The same for the reader `file` of the packed file `path`."""
    return limited(cast("IO[bytes]", file), path.stat().st_size, str(path))


class _Limited(RawFile):
    def __init__(self, file: IO[bytes], packed: int, name: str) -> None:
        super().__init__(file)
        self._packed, self._name = packed, name
        self._left = self._most = ceiling(packed)

    def read(self, size: int = -1) -> bytes:
        found = self._file.read(size)
        self._left -= len(found)
        if self._left < 0:
            raise refusal(self._name, self._packed, self._most)
        return found
