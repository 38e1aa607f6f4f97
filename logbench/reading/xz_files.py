"""Read xz files in bounded memory: a file names the memory that unpacking it takes, up to 4 GB."""

from __future__ import annotations

import lzma
from pathlib import Path

from ..base.errors import DataError
from ..base.unpack_limits import RATIO, ratio
from .raw_file import RawFile

# Bytes that unpacking may take; `xz -9` takes 65 MB.
MEMORY = 256 << 20
_CHUNK = 1 << 18


class XzFile(RawFile):
    """The unpacked bytes of all streams of a file.

    Raises:
        DataError: when read: it wants more memory than `MEMORY`, times what `--unpack-ratio` is above the usual.
        EOFError, LZMAError: when read: it is cut, or damaged.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path.open("rb"))
        self._name, self._most = str(path), int(MEMORY * max(ratio() / RATIO, 1.0))
        self._stream: lzma.LZMADecompressor | None = None
        self._held = b""

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes; none at the end."""
        if size < 0:
            return b"".join(iter(lambda: self.read(_CHUNK), b""))
        while size:
            if self._stream is None and not self._next():
                break
            assert self._stream is not None
            given = b""
            if self._stream.needs_input and not (given := self._held or self._file.read(_CHUNK)):
                raise EOFError("it ends before its end-of-stream marker")
            self._held = b"" if given else self._held
            if found := self._unpack(given, size):
                return found
        return b""

    def _next(self) -> bool:
        """Begin the next stream, after padding; False at the end."""
        while not (left := self._held.lstrip(b"\0")):
            self._held = self._file.read(_CHUNK)
            if not self._held:
                return False
        self._held = left
        self._stream = lzma.LZMADecompressor(memlimit=self._most)
        return True

    def _unpack(self, given: bytes, size: int) -> bytes:
        assert self._stream is not None
        try:
            found = self._stream.decompress(given, size)
        except lzma.LZMAError as error:
            if "limit" not in str(error):
                raise
            most = f"{self._most >> 20:,} MB of memory"
            again = f"logbench --unpack-ratio {10 * max(ratio(), RATIO):.0f} …"
            raise DataError(
                f"{self._name}: wants more than {most} to be unpacked; if that is right: {again}"
            ) from None
        if self._stream.eof:
            self._held, self._stream = self._stream.unused_data, None
        return found
