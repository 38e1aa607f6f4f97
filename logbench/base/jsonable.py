"""Convert any value to JSON values, and any text to one printable line."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .cells import clipped, columns_of

# Most characters of a line from a plugin.
LONGEST = 1000


def shorten(text: str, width: int = LONGEST) -> str:
    """Shorten a text to one line of at most `width` columns, see `cells`; replace control characters by `�`.

    It ends in `…`, after a whole word unless the last one that fits begins in the first half.
    """
    line = " ".join(text[: 16 * width].split())
    line = "".join(letter if letter.isprintable() else "�" for letter in line)
    if columns_of(line) <= width and len(text) <= 16 * width:
        return line
    line = clipped(line, width - 1)
    words = line.rpartition(" ")[0]
    return f"{words} …" if 2 * columns_of(words) > width else f"{line}…"


def four_digits(value: float) -> str:
    """Format a number for people: four digits, `∞` and `−∞` for infinity."""
    return f"{value:.4g}".replace("-inf", "−∞").replace("inf", "∞")


def several(number: int, one: str, more: str = "") -> str:
    """Format a count: `1 line`, `2,000 lines`; `more` is the plural, by default `one` with an s."""
    return f"{number:,} {one if number == 1 else more or f'{one}s'}"


def part_of(number: int, total: int, what: str, one: str, more: str) -> str:
    """Format a part of a count with its verb: `1 of 3 lines is`, `2 of 3 lines are`."""
    return f"{number:,} of {several(total, what)} {one if number == 1 else more}"


def to_jsonable(value: Any) -> Any:
    """Convert a value to JSON values. Numbers that are not finite become None.

    Arrays, tensors and series become lists; any other object becomes its text.
    """
    kind = type(value)
    if kind in (int, bool, type(None)) or (kind is str and value.isascii()):
        return value
    if isinstance(value, Mapping):
        return {str(key): to_jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_jsonable(item) for item in value]
    for convert in ("tolist", "to_list"):  # arrays, tensors and NumPy's numbers; series
        if hasattr(value, convert):
            return to_jsonable(getattr(value, convert)())
    if isinstance(value, int | float):
        return None if isinstance(value, float) and not math.isfinite(value) else value
    return str(value).encode("utf-8", "backslashreplace").decode()  # half a surrogate pair cannot be written
