"""Standard output and error that show any text; what steers a terminal, or what it lacks, is replaced."""

from __future__ import annotations

import codecs
import io
import sys
from typing import Any, TextIO, cast

from .colours import sent, wanted
from .escapes import printable

# How an encoding without them shows signs of our own.
_PLAIN = {
    "–": "-", "−": "-", "—": "-", "±": "+-", "∞": "inf", "≤": "<=", "≥": ">=", "…": "...", "→": "->", "×": "x",
    "�": "?", "·": ".", "“": '"', "”": '"', "‘": "'", "’": "'", "•": "*", "✓": "+",
}  # fmt: skip
FALLBACK = "logbench.plain"


def _plain(error: UnicodeError) -> tuple[str, int]:
    """In place of what an encoding lacks: a like sign, or its number as JSON writes it."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_PLAIN.get(sign) or _number(sign) for sign in lacking), error.end


def _number(sign: str) -> str:
    return f"\\u{ord(sign):04x}" if ord(sign) < 1 << 16 else f"\\U{ord(sign):08x}"


codecs.register_error(FALLBACK, _plain)


class Shown(io.TextIOWrapper):
    """A text stream for people: see the module.

    Attributes:
        colours: it shows what `colours.styled` marks.
    """

    colours = False

    def write(self, text: str) -> int:
        """Write a text; of signs that steer a terminal, `�` in place of each."""
        super().write(sent(text, printable) if self.colours else printable(text))
        return len(text)

    def unescaped(self) -> TextIO:
        """The same stream, for bars that move the cursor themselves."""
        return cast(TextIO, _Unescaped(self))


class _Unescaped:
    def __init__(self, stream: Shown) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return io.TextIOWrapper.write(self._stream, text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def shown(number: int, like: TextIO) -> Shown:
    """A stream to descriptor `number`, with encoding and buffering as `like`."""
    binary = open(number, "wb", closefd=False)  # noqa: SIM115
    error = number == 2
    made = Shown(
        binary, encoding=like.encoding, errors=FALLBACK, line_buffering=error or like.isatty(), write_through=error
    )
    made.colours = wanted(number)
    return made


def show_all() -> None:
    """Make the process's own standard streams show any text. Streams of others, as of a notebook, stay."""
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        try:
            if isinstance(stream, Shown) or stream.fileno() != number:
                continue
            stream.flush()
        except (AttributeError, OSError, ValueError):
            continue
        setattr(sys, name, shown(number, stream))


def unescaped(stream: TextIO) -> TextIO:
    """The stream that bars are drawn on."""
    return stream.unescaped() if isinstance(stream, Shown) else stream


def has(stream: TextIO, text: str) -> bool:
    """Whether a stream's encoding has all signs of a text."""
    try:
        text.encode(stream.encoding or "utf-8")
    except (UnicodeError, LookupError):
        return False
    return True
