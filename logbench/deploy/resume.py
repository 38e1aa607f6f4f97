"""Find where to go on in a stream that may begin anew: with what was read before, or after it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from ..base.errors import DataError

# Bytes by which the beginning of a stream is known again.
HEAD = 1024


@dataclass
class Source:
    """How much of a stream was read.

    Attributes:
        head: its first bytes (latin-1). read: bytes that were read. crc: their CRC-32.
    """

    head: str = ""
    read: int = 0
    crc: int = 0

    def state(self) -> dict[str, Any]:
        """JSON values: `Source(**state)` goes on."""
        return asdict(self)

    def follow(self, blocks: Iterator[bytes], note: Callable[[str], None]) -> Iterator[bytes]:
        """The bytes of a stream that were not read before.

        A stream that begins as the last one did (`tail -n +1 -F app.log`, begun again) gives what follows on what
        was read; any other goes on where the last one ended.

        Raises:
            DataError: it begins as before, but then is another one.
        """
        if self.read:
            head = self.head.encode("latin-1")
            first = _first(blocks, head)
            if not first.startswith(head) and not head.startswith(first):
                self.head, self.read, self.crc = "", 0, 0
            elif first:
                note(f"the stream begins as before: its first {self.read:,} bytes were read already")
                first = self._skip(first, blocks)
            if first:  # an empty block would mean silence
                yield self._count(first)
        for block in blocks:
            yield self._count(block)

    def _count(self, block: bytes) -> bytes:
        if len(self.head) < HEAD and len(self.head) == self.read:
            self.head += block[: HEAD - len(self.head)].decode("latin-1")
        self.read += len(block)
        self.crc = zlib.crc32(block, self.crc)
        return block

    def _skip(self, first: bytes, blocks: Iterator[bytes]) -> bytes:
        """Leave out what was read; gives what comes after it in the same block."""
        left, crc = self.read, 0
        block: bytes | None = first
        while block is not None:
            part = block[:left]
            crc, left = zlib.crc32(part, crc), left - len(part)
            if not left:
                if crc != self.crc:
                    raise DataError(
                        f"standard input: begins as before, but its first {self.read:,} bytes are not those that "
                        "were read; take another --state for another log"
                    )
                return block[len(part) :]
            block = next(blocks, None)
        return b""


def _first(blocks: Iterator[bytes], head: bytes) -> bytes:
    """So many bytes of a stream that it is clear whether it begins with `head`; all where it ends before."""
    text = b""
    for block in blocks:
        text += block
        if len(text) >= len(head) or not head.startswith(text):
            break
    return text
