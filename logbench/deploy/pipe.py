"""Cuts a log that comes through a pipe into pieces that read like whole files."""

from __future__ import annotations

import polars as pl

from ..data.line_format import SEPARATORS, LineFormat
from ..reading.line_fields import splitter
from ..reading.multi_line import LONGEST_ENTRY


class Pieces:
    """A log that comes piece by piece, cut so that each piece reads like a whole file.

    A CSV header stands before every piece, and with `multiline` the last event waits until the next one begins.
    """

    def __init__(self, form: LineFormat) -> None:
        self._form = form
        self._header: bytes | None = None if form.format in SEPARATORS else b""
        self._held = b""

    def take(self, lines: bytes) -> bytes:
        """What can be read now of all that came, `lines` among it; they end where a line does."""
        if self._header is None:
            header, _, lines = lines.partition(b"\n")
            self._header = header + b"\n"
        if not self._form.multiline:
            return self._whole(lines)
        text = self._held + lines
        cut = self._last_begin(text) or (len(text) if len(text) > LONGEST_ENTRY else 0)
        self._held = text[cut:]
        return self._whole(text[:cut])

    def rest(self) -> bytes:
        """The event that waits; nothing more of it will come."""
        held, self._held = self._held, b""
        return self._whole(held)

    def _whole(self, lines: bytes) -> bytes:
        return (self._header or b"") + lines if lines else b""

    def _last_begin(self, text: bytes) -> int:
        """Offset of the last line that begins an event."""
        lines = text.removesuffix(b"\n").split(b"\n")
        read = [line.decode(self._form.encoding, "replace").removesuffix("\r") for line in lines]
        split = splitter(self._form, (self._header or b"").decode(self._form.encoding, "replace").strip("\r\n"))
        begins = split.starts(pl.Series("raw", read, dtype=pl.String)).arg_true()
        last = int(begins[-1]) if len(begins) else 0
        return sum(len(line) + 1 for line in lines[:last])
