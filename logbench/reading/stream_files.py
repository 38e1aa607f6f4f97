"""Read bzip2, xz and zstd files whole, stream after stream; the last two name the memory that they take."""

from __future__ import annotations

import bz2
import importlib
import lzma
import sys
from abc import abstractmethod
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile, ZipInfo

from ..base.errors import DataError
from ..base.unpack_limits import RATIO, ratio
from .raw_file import RawFile

# Bytes that unpacking may take; `xz -9` takes 65 MB.
MEMORY = 256 << 20
_CHUNK = 1 << 18


class _Streams(RawFile):
    """The unpacked bytes of all streams of a file; zeros between them are padding, anything else is damage.

    Raises:
        EOFError, OSError, LZMAError: when read: it is cut, or damaged.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path.open("rb"))
        self._stream: Any = None
        self._held = b""

    @abstractmethod
    def _begun(self) -> Any:
        """What unpacks one stream, as `bz2.BZ2Decompressor` does."""

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes; none at the end."""
        if size < 0:
            return b"".join(iter(lambda: self.read(_CHUNK), b""))
        while size and (self._stream is not None or self._next()):
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
        self._stream = self._begun()
        return True

    def _unpack(self, given: bytes, size: int) -> bytes:
        found: bytes = self._stream.decompress(given, size)
        if self._stream.eof:
            self._held, self._stream = self._stream.unused_data, None
        return found


class Bzip2File(_Streams):
    """The unpacked bytes of a bzip2 file. Python's own reader takes a damaged second stream for the end."""

    def _begun(self) -> bz2.BZ2Decompressor:
        return bz2.BZ2Decompressor()


class XzFile(_Streams):
    """The unpacked bytes of an xz file.

    Raises:
        DataError: when read: it wants more memory than `MEMORY`, times what `--unpack-ratio` is above the usual.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._name, self._most = str(path), _most()

    def _begun(self) -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(memlimit=self._most)

    def _unpack(self, given: bytes, size: int) -> bytes:
        try:
            return super()._unpack(given, size)
        except lzma.LZMAError as error:
            if "limit" not in str(error):
                raise
            raise _refusal(self._name, self._most) from None


class ZstdFile(_Streams):
    """The unpacked bytes of a zstd file, within the same memory."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._name, self._most = str(path), _most()
        python = sys.version_info >= (3, 14)
        self._zstd: Any = importlib.import_module("compression.zstd" if python else "backports.zstd")

    def _begun(self) -> Any:
        window = self._zstd.DecompressionParameter.window_log_max
        least, most = window.bounds()
        return self._zstd.ZstdDecompressor(options={window: min(max(self._most.bit_length() - 1, least), most)})

    def _unpack(self, given: bytes, size: int) -> bytes:
        try:
            return super()._unpack(given, size)
        except self._zstd.ZstdError as error:
            if "memory" not in str(error):
                raise OSError(str(error).rstrip(".")) from None
            raise _refusal(self._name, self._most) from None


def check_dictionary(archive: ZipFile, entry: ZipInfo) -> None:
    """See that a member of a zip archive, if packed by LZMA, is unpacked in as little memory.

    Raises:
        DataError: it is not. BadZipFile: the archive is cut.
    """
    assert archive.filename is not None
    with Path(archive.filename).open("rb") as file:
        file.seek(entry.header_offset + 26)  # lengths of name and extra field, which stand before the bytes
        lengths = file.read(4)
        file.seek(int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little"), 1)
        head = file.read(9)  # version, size of the properties, which are a byte and the dictionary's size
    if len(head) < 9:
        raise BadZipFile("cut")
    if int.from_bytes(head[5:9], "little") > (most := _most()):
        raise _refusal(f"{archive.filename}: {entry.filename}", most)


def _most() -> int:
    return int(MEMORY * max(ratio() / RATIO, 1.0))


def _refusal(name: str, most: int) -> DataError:
    again = f"logbench --unpack-ratio {10 * max(ratio(), RATIO):.0f} …"
    return DataError(
        f"{name}: wants more than {most >> 20:,} MB of memory to be unpacked; if that is right: {again}"
    )
