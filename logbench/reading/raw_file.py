"""What files in Python share that read another file in their own way."""

from __future__ import annotations

import io
from abc import abstractmethod
from typing import IO, Any


class RawFile(io.RawIOBase):
    """Reads `file` by `read`, and closes it with itself."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    @abstractmethod
    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes; none at the end."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = self.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)

    def close(self) -> None:
        self._file.close()
        super().close()
