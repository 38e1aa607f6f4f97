"""The width of a terminal, and text wrapped to it at words."""

from __future__ import annotations

import os
import re
import sys
from typing import TextIO

from .cells import columns_of, wrapped

# A command to copy at the end of a sentence: `next: logbench show last`.
_COMMAND = re.compile(r"(?:(?<=: )|(?<=, ))logbench [^()]*$")


def screen_width(stream: TextIO | None = None) -> int | None:
    """Columns of the terminal that a stream writes to; None for a file or a pipe.

    The variable `COLUMNS` stands above both, if it is a number.

    Args:
        stream: standard output by default.
    """
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given):
        return int(given)
    try:
        return os.get_terminal_size((stream or sys.stdout).fileno()).columns or None
    except (AttributeError, OSError, ValueError):
        return None


def folded(text: str, width: int | None, indent: str = "  ") -> str:
    """Wrap each line of a text at words; further lines hang by `indent`, a command's end in a backslash.

    Args:
        width: None leaves the text as it is.
    """
    if width is None:
        return text
    return "\n".join(_folded(line, width, indent) for line in text.split("\n"))


def _folded(line: str, width: int, indent: str) -> str:
    if columns_of(line) <= width:
        return line
    command = _COMMAND.search(line)
    if command is None:
        return _filled(line, width, indent)
    before, after = line[: command.start()].rstrip(), command[0]
    said = _filled(before, width, indent)
    if len(indent) + columns_of(after) <= width:
        return f"{said}\n{indent}{after}"
    lines = wrapped(after, width - len(indent) - 4)
    return said + "\n" + " \\\n".join(indent + "  " * bool(at) + part for at, part in enumerate(lines))


def _filled(line: str, width: int, indent: str) -> str:
    lead = line[: len(line) - len(line.lstrip())]
    return "\n".join(wrapped(line.strip(), width, lead, lead + indent))
