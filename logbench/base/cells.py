"""Text in the columns of a terminal: letters of East Asia take two, combining marks none."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

# Letters and signs of one column each, among them all that we print ourselves: for these rich, which knows the
# widths of all others, need not be loaded.
_ONE_COLUMN = re.compile("[ -~\xa1-\xac\xae-\u02ff\u2010-\u2027\u2030-\u205e\u2100-\u2319\u2500-\u25fc]*")


def columns_of(text: str) -> int:
    """Columns that a terminal needs for a text of one line.

    Examples:
        >>> columns_of("naïve"), columns_of("日志")
        (5, 4)
    """
    if text.isascii() or _ONE_COLUMN.fullmatch(text):
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def padded(text: str, width: int, right: bool = False) -> str:
    """The text and spaces, `width` columns in all; on the right: spaces first."""
    spaces = " " * max(width - columns_of(text), 0)
    return spaces + text if right else text + spaces


def clipped(text: str, width: int) -> str:
    """The longest beginning of a text that takes at most `width` columns."""
    if columns_of(text) <= width:
        return text
    used, kept = 0, ""
    for piece in _letters(text):
        used += columns_of(piece)
        if used > width:
            break
        kept += piece
    return kept


def longest_part(text: str) -> int:
    """Columns of the longest part that is not broken where a text is wrapped."""
    if text.isascii():
        return max(map(len, text.split()), default=0)
    return max((columns_of(piece.rstrip()) for piece in _pieces(text)), default=0)


def wrapped(text: str, width: int, first: str = "", others: str = "") -> list[str]:
    """Lines of at most `width` columns, broken at spaces and between letters of East Asia, which have none.

    Args:
        first, others: what the first line and the others begin with.
    """
    if text.isascii():
        return textwrap.wrap(
            text, max(width, 1), initial_indent=first, subsequent_indent=others, break_long_words=False,
            break_on_hyphens=False,
        )  # fmt: skip
    lines, line = list[str](), first
    for piece in _pieces(text):
        begun = line not in (first, others)
        if begun and columns_of(line + piece.rstrip()) > width:
            lines.append(line.rstrip())
            line, begun = others, False
        line += piece if begun else piece.lstrip()
    return [*lines, line.rstrip()] if line.strip() else lines


def _letters(text: str) -> Iterator[str]:
    """Letters with the marks that stand on them."""
    letter = ""
    for sign in text:
        if letter and columns_of(letter + sign) > columns_of(letter):
            yield letter
            letter = ""
        letter += sign
    if letter:
        yield letter


def _pieces(text: str) -> Iterator[str]:
    """Words and letters of two columns, each with the spaces behind it."""
    piece = last = ""
    for letter in _letters(text):
        between = last.isspace() or columns_of(last) > 1 or columns_of(letter) > 1
        if piece and between and not letter.isspace():
            yield piece
            piece = ""
        piece += letter
        last = letter
    if piece:
        yield piece
