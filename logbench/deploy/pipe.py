"""Cuts a log that comes through a pipe into pieces that read like whole files."""

from __future__ import annotations

import polars as pl

from ..data.line_format import LineFormat
from ..reading.line_counts import Counts
from ..reading.line_reader import splitters
from ..reading.multi_line import LONGEST_DOCUMENT, LONGEST_ENTRY, Events


class Pieces:
    """A log that comes piece by piece, cut so that each piece reads like a whole file.

    A table's header stands before every piece, and an event that further lines may belong to waits until the next
    one begins.

    Attributes:
        skipped: lines before the header, which are no part of any piece.
    """

    def __init__(self, form: LineFormat) -> None:
        self._form = form
        self._header: bytes | None = None if form.between and not form.columns else b""
        self._held = b""
        self.skipped = 0
        self._longest = LONGEST_DOCUMENT if form.records else LONGEST_ENTRY

    def take(self, lines: bytes) -> bytes:
        """What can be read now of all that came, `lines` among it; they end where a line does."""
        if self._header is None:
            header, _, lines = self._headed(lines)
            if not header:
                return b""
            self._header = header + b"\n"
        text = self._held + lines
        cut = self._complete(text)
        if not cut and len(text) > self._longest:
            cut = len(text)
        self._held = text[cut:]
        return self._whole(text[:cut])

    def rest(self) -> bytes:
        """The event that waits; nothing more of it will come."""
        held, self._held = self._held, b""
        return self._whole(held)

    @property
    def headed(self) -> bool:
        """Whether each piece begins with the header of a table, which stood once in the log."""
        return bool(self._header)

    def state(self) -> tuple[str | None, str, int]:
        """JSON values from which `restore` goes on."""
        header = None if self._header is None else self._header.decode("latin-1")
        return header, self._held.decode("latin-1"), self.skipped

    def restore(self, state: tuple[str | None, str, int]) -> None:
        """Go on from `state`."""
        header, held, self.skipped = state
        self._header = None if header is None else header.encode("latin-1")
        self._held = held.encode("latin-1")

    def _headed(self, lines: bytes) -> tuple[bytes, bytes, bytes]:
        begin = self._form.header.encode(self._form.encoding)
        while lines and begin and not lines.startswith(begin):
            lines = lines.partition(b"\n")[2]
            self.skipped += 1
        return lines.partition(b"\n")

    def _whole(self, lines: bytes) -> bytes:
        return (self._header or b"") + lines if lines else b""

    def _complete(self, text: bytes) -> int:
        """Bytes of the events that are complete."""
        header = (self._header or b"").decode(self._form.encoding, "replace").strip("\r\n")
        events = Events.of(self._form, splitters(self._form, header), Counts())
        if not any(stage.holds for stage in events.stages):
            return len(text)
        lines = text.removesuffix(b"\n").split(b"\n")
        read = [line.decode(self._form.encoding, "replace").removesuffix("\r") for line in lines]
        events.feed(
            pl.DataFrame({"raw": read, "at": range(len(read))}, schema={"raw": pl.String, "at": pl.UInt32})
        )
        first = len(lines) if events.first_waiting is None else events.first_waiting
        return len(text) if first == len(lines) else sum(len(line) + 1 for line in lines[:first])
