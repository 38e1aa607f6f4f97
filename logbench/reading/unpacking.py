"""Limits of what a packed file may unpack to, so that a small one fills neither memory nor days."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any, cast

from ..base.errors import DataError
from .raw_file import RawFile

# Times its packed size that a file may unpack to. Logs of equal lines reach 500; beyond 1,000 are made ones.
RATIO = 1000.0
# Bytes up to which any ratio is right, and beyond which none is.
SMALL = 256 << 20
MOST = 4 << 40
# Environment variable that sets another ratio; `logbench --unpack-ratio` does.
VARIABLE = "LOGBENCH_UNPACK_RATIO"


def ratio() -> float:
    """The ratio allowed: that of the environment, or `RATIO`.

    Raises:
        DataError: the environment holds no number.
    """
    given = os.environ.get(VARIABLE)
    try:
        return RATIO if given is None else float(given)
    except ValueError:
        raise DataError(f"{VARIABLE}={given[:40] if given else ''}: no number, such as 5000") from None


def ceiling(packed: int) -> int:
    """Bytes that a file of `packed` bytes may unpack to."""
    return int(min(max(SMALL, packed * ratio()), MOST * max(ratio() / RATIO, 1.0)))


def refusal(name: str, packed: int, most: int) -> DataError:
    """The error where a file unpacks to more."""
    raised = f"logbench --unpack-ratio {10 * ratio():.0f} …"
    return DataError(f"{name}: unpacks to more than {most:,} bytes from {packed:,}; if that is right: {raised}")


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
