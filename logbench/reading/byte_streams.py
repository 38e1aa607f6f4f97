"""Lines of packed or undecodable files as bounded batches: nothing is unpacked to disk, no loop per line."""

from __future__ import annotations

import codecs
import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO
from zipfile import BadZipFile

import polars as pl
from polars.io.plugins import register_io_source

from ..base.code_digests import core
from ..base.errors import DataError
from ..base.file_digests import remembered
from ..base.files import digests_file

SCHEMA: dict[str, pl.DataType] = {"line": pl.UInt32(), "raw": pl.String()}
# Bytes unpacked at a time: 2 to 4 MiB were the fastest and took the least memory.
CHUNK = 4 << 20
# Bytes in a line beyond which a file is no text: a packed run of zeros must not fill the memory.
LONGEST = 256 << 20

# First bytes by which polars takes text for zlib (`x^`), gzip or zstandard and unpacks it.
_LIKE_PACKED = (b"x", b"\x1f", b"(")
_BROKEN = (BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, OSError)


@dataclass
class Stream:
    """The bytes of one text file, read anew in each pass.

    Lines end at `\\n`, one `\\r` before it is dropped, a last line needs no end, as for `polars.scan_lines`.
    Bytes that are no UTF-8 become U+FFFD.

    Attributes:
        name: how errors name the file.
        open: opens it unpacked.
        max_bytes: unpacked bytes beyond which reading is refused.
        undecodable: lines with bytes that are no UTF-8, as far as any pass has come.
    """

    name: str
    open: Callable[[], IO[bytes]]
    max_bytes: int | None = None
    undecodable: int = field(default=0, init=False)

    def scan(self) -> pl.LazyFrame:
        """Columns `line` (UInt32 from 0) and `raw` (String), lazily.

        Raises:
            DataError: when collected: the file is damaged, larger than `max_bytes`, or no text.
        """
        return register_io_source(self._batches, schema=SCHEMA, is_pure=True)

    def blocks(self) -> Iterator[bytes]:
        """The unpacked bytes in order, at most `CHUNK` at a time."""
        total = 0
        with readable(self.name), self.open() as file:
            while block := file.read(CHUNK):
                total += len(block)
                if self.max_bytes is not None and total > self.max_bytes:
                    raise DataError(f"{self.name}: unpacks to more than the {self.max_bytes:,} bytes allowed")
                yield block

    def chunks(self) -> Iterator[bytes]:
        """The same, cut after line ends."""
        parts: list[bytes | memoryview] = []
        for block in self.blocks():
            cut = block.rfind(b"\n") + 1
            if cut:
                yield b"".join([*parts, memoryview(block)[:cut]])
                parts = [block[cut:]]
            else:
                parts.append(block)
                if len(parts) * CHUNK > LONGEST:
                    raise DataError(f"{self.name}: a line of more than {LONGEST:,} bytes; is this a text log?")
        if any(parts):
            yield b"".join(parts)

    def valid(self) -> Iterator[bytes]:
        """The same as valid UTF-8."""
        undecodable = 0
        for chunk in self.chunks():
            text, replaced = valid(chunk)
            undecodable += replaced
            self.undecodable = max(self.undecodable, undecodable)
            yield text

    def _batches(
        self, columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _: int | None
    ) -> Iterator[pl.DataFrame]:
        start = undecodable = 0
        for chunk in self.chunks():
            frame, replaced = parse(chunk, start)
            undecodable += replaced
            self.undecodable = max(self.undecodable, undecodable)
            if n_rows is not None:
                frame = frame.head(n_rows - start)
            start += frame.height
            if predicate is not None:
                frame = frame.filter(predicate)
            yield frame if columns is None else frame.select(columns)
            if n_rows is not None and start >= n_rows:
                return


def parse(chunk: bytes, start: int) -> tuple[pl.DataFrame, int]:
    """Lines of `chunk`, numbered from `start`, and how many of them held bytes that are no UTF-8."""
    try:
        return _lines(chunk, start), 0
    except pl.exceptions.ComputeError:
        text, replaced = valid(chunk)
        return _lines(text, start), replaced


def valid(chunk: bytes) -> tuple[bytes, int]:
    """`chunk` as valid UTF-8, and how many of its lines held bytes that are none."""
    try:
        if not chunk.isascii():
            chunk.decode()
        return chunk, 0
    except UnicodeDecodeError:
        whole = chunk if chunk.endswith(b"\n") else chunk + b"\n"
    text, without = (whole.decode("utf-8", errors).encode() for errors in ("replace", "ignore"))
    return text, int((_lines(text, 0)["raw"] != _lines(without, 0)["raw"]).sum())


def _lines(chunk: bytes, start: int) -> pl.DataFrame:
    if not chunk.startswith(_LIKE_PACKED):
        return pl.read_lines(chunk, name="raw", row_index_name="line", row_index_offset=start)
    padded = pl.read_lines(b"\n" + chunk, name="raw").slice(1)
    return padded.with_row_index("line", offset=start)


def scannable(path: Path) -> bool:
    """Whether `polars.scan_lines` reads a whole file as it is; remembered until it changes.

    Looked at beforehand because at bytes that are no UTF-8 `scan_lines` (polars 2.1) drops the batch, numbers
    the batches after it as if nothing were missing, and raises only later: too late to go on from. All-ASCII
    blocks are known for such at 8 GB/s.
    """
    with readable(str(path)):
        what = f"scannable {core().files} {pl.__version__}"
        return bool(remembered(path, digests_file(), what, partial(_scannable, path)))


def _scannable(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        if file.peek(1).startswith(b"x"):  # the others' first bytes are no UTF-8
            return False
        try:
            without_end = 0
            while block := file.read(CHUNK):
                without_end = 1 if b"\n" in block else without_end + 1
                if without_end * CHUNK > LONGEST:  # refused by whoever reads it, see `Stream.chunks`
                    return False
                if decoder.getstate()[0] or not block.isascii():
                    decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Turns what a damaged or forbidden file raises into one line that names it.

    Raises:
        DataError: always in place of those errors.
    """
    try:
        yield
    except _BROKEN as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise DataError(f"{name}: cannot be read ({reason}); copy or fetch it again") from None
    except UnicodeError as error:
        raise DataError(f"{name}: cannot be read ({error}); is its encoding another one?") from None
    except (tarfile.TarError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{name}: cannot be read ({str(error).splitlines()[0]}); fetch it again") from None
