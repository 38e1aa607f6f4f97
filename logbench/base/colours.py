"""Colours by what a text means, for terminals alone. Words or figures say the same."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from typing import Literal, TextIO

Style = Literal["best", "better", "worse", "error", "warning", "aside"]
# What a terminal is sent (ECMA-48, section 8.3.117): bold and green, green, red, bold and red, yellow, dim.
_CODES: Mapping[Style, str] = {
    "best": "1;32", "better": "32", "worse": "31", "error": "1;31", "warning": "33", "aside": "2",
}  # fmt: skip
# Begin and end of a styled text, in a line. Unicode keeps these signs for use within a program: texts of others
# should not have them, and tables show them as `�`. A line that is printed as it is could at worst colour itself.
_BEGIN: Mapping[Style, str] = {style: chr(0xFDD0 + at) for at, style in enumerate(_CODES)}
_STYLES = {mark: style for style, mark in _BEGIN.items()}
_END = "\ufdef"
_STYLED = re.compile(f"([{''.join(_STYLES)}])([^\n\ufdd0-\ufdef]*){_END}")


def wanted(number: int) -> bool:
    """Whether colours go to a file descriptor.

    To a terminal alone, unless it is a dumb one. `NO_COLOR` forbids them everywhere; `FORCE_COLOR` or
    `CLICOLOR_FORCE` asks for them in a pipe, too; `CLICOLOR=0` asks for none.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if any(os.environ.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    if os.environ.get("CLICOLOR") == "0" or os.environ.get("TERM", "") in ("", "dumb") or sys.platform == "win32":
        return False
    return os.isatty(number)


def styled(text: str, style: Style, stream: TextIO | None = None) -> str:
    """The text, marked so that a stream shows what it means; the same text where the stream takes no colours.

    Args:
        stream: standard output by default.
    """
    shows = getattr(stream or sys.stdout, "colours", False)
    return f"{_BEGIN[style]}{text}{_END}" if shows and text else text


def led(text: str, stream: TextIO) -> str:
    """The text with `error:` or `warning:` styled, if it begins so."""
    word, colon, rest = text.partition(":")
    style: Style | None = "error" if word == "error" else "warning" if word == "warning" else None
    return text if style is None else f"{styled(word + colon, style, stream)}{rest}"


def sent(text: str, shown: Callable[[str], str]) -> str:
    """The text as a terminal is sent it, with colours in place of marks.

    Args:
        shown: makes text printable, which marks are not.
    """
    parts = _STYLED.split(text)  # plain, mark, styled, plain, …
    for at in range(1, len(parts), 3):
        parts[at], parts[at + 1] = f"\x1b[{_CODES[_STYLES[parts[at]]]}m", f"{shown(parts[at + 1])}\x1b[0m"
    return "".join(part if at % 3 else shown(part) for at, part in enumerate(parts))
