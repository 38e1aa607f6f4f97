"""Tables of text that fit a width: cells fold at words, then columns are left out in a given order."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from .cells import columns_of, longest_part, padded, wrapped
from .colours import Style, styled

GAP = "  "
# A column of text is not folded below this many letters as long as another one can be left out.
COMFORT = 30
Styles = Mapping[tuple[int, str], Style]
NONE: Styles = {}


@dataclass(frozen=True)
class TextTable:
    """A table as text.

    Attributes:
        text: its lines, without a line end.
        left_out: headings of the columns that did not fit.
        needs: columns of a terminal that shows all of them unfolded.
    """

    text: str
    left_out: tuple[str, ...]
    needs: int

    def said(self, other: str) -> str:
        """The line below the table: what was left out and how to see it; empty if nothing was.

        Args:
            other: another way to see it, such as `--json`.
        """
        names = ", ".join(" ".join(name.split()) for name in self.left_out)
        return f"left out: {names} (to see all: {self.needs} columns, or {other})" if names else ""


def text_table(
    columns: Mapping[str, Sequence[str]],
    width: int | None = None,
    *,
    fold: Collection[str] = (),
    drop: Sequence[str] = (),
    right: Collection[str] = (),
    rules: Collection[int] = (),
    heads: bool = True,
    styles: Styles = NONE,
) -> TextTable:
    """Lay out a table of at most `width` columns, in which no word is broken.

    What does not fit is made narrower in this order: headings fold at spaces; columns of text fold at words, to
    `COMFORT` letters; columns are left out; columns of text fold further. If that is not enough, each row becomes
    a block with a line a cell.

    Args:
        columns: cells by heading; a heading may have several lines.
        width: None for any.
        fold: headings of columns of text. drop: headings in the order in which they are left out. right: headings
            of columns that are aligned on their right.
        rules: numbers of rows with a line below them; the last row has none.
        heads: show the headings.
        styles: what cells mean, by number of the row and heading, or of a whole row, by its number and `""`;
            shown in colours where standard output takes them, see `colours`.

    Examples:
        >>> columns = {"name": ["a", "b"], "meaning": ["the first letter", "another"]}
        >>> print(text_table(columns, 18, fold=["meaning"]).text)
        name  meaning
        ----  ------------
        a     the first
              letter
        b     another
    """
    kept, left_out = dict(columns), list[str]()
    needs = sum(_natural(kept, heads).values()) + len(GAP) * (len(kept) - 1)
    order = [name for name in dict.fromkeys(drop) if name in kept]
    while True:
        widths = _widths(kept, width, fold, heads, COMFORT)
        if widths is None and order:
            left_out.append(order.pop(0))
            del kept[left_out[-1]]
            continue
        widths = widths or _widths(kept, width, fold, heads, 0)
        break
    lines = _blocks(kept, width or 0) if widths is None else _lines(kept, widths, right, rules, heads, styles)
    return TextTable("\n".join(lines), tuple(left_out), needs)


def _natural(columns: Mapping[str, Sequence[str]], heads: bool) -> dict[str, int]:
    return {name: max(_longest(name) if heads else 0, *map(_longest, cells), 0) for name, cells in columns.items()}


def _longest(text: str) -> int:
    return max(map(columns_of, text.split("\n")))


def _widths(
    columns: Mapping[str, Sequence[str]], width: int | None, fold: Collection[str], heads: bool, least: int
) -> dict[str, int] | None:
    """Width of each column, the widest that fit together; None if none do.

    Args:
        least: letters that a column of text keeps, if it has as many.
    """
    wide = _natural(columns, heads)
    room = None if width is None else width - len(GAP) * (len(columns) - 1)
    if room is None or sum(wide.values()) <= room:
        return wide
    cells = {name: max([0, *map(_longest, of)]) for name, of in columns.items()}
    narrow = {name: max(cells[name], longest_part(name) if heads else 0) for name in columns}
    least_of = {
        name: max(longest_part(name) if heads else 0, *map(longest_part, columns[name]), min(least, cells[name]))
        for name in fold
        if name in columns
    }
    for most in range(max(narrow.values()), -1, -1):
        found = {
            name: max(least_of[name], min(of, most)) if name in least_of else of for name, of in narrow.items()
        }
        if sum(found.values()) <= room:
            return found
    return None


def _lines(
    columns: Mapping[str, Sequence[str]],
    widths: Mapping[str, int],
    right: Collection[str],
    rules: Collection[int],
    heads: bool,
    styles: Styles,
) -> Iterator[str]:
    rule = GAP.join("-" * widths[name] for name in columns)
    if heads:
        yield from _row(dict(zip(columns, columns, strict=True)), widths, right, {})
        yield rule
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    for number, row in enumerate(rows, 1):
        looks = {name: style for name in row if (style := _style(styles, number - 1, name))}
        yield from _row(row, widths, right, looks)
        if number in rules and number < len(rows):
            yield rule


def _style(styles: Styles, row: int, name: str) -> Style | None:
    """Of a cell, else of its row."""
    return styles.get((row, name)) or styles.get((row, ""))


def _row(
    row: Mapping[str, str], widths: Mapping[str, int], right: Collection[str], looks: Mapping[str, Style]
) -> Iterator[str]:
    parts = [_cell(cell, widths[name]) for name, cell in row.items()]
    for line in zip_longest(*parts, fillvalue=""):
        last = max((at for at, part in enumerate(line) if part), default=-1)
        cells = [padded(part, widths[name], name in right) for part, name in zip(line, row, strict=True)]
        if last >= 0:
            cells[last] = cells[last].rstrip()
        pairs = zip(cells[: last + 1], row, strict=False)
        yield GAP.join(
            styled(cell, looks[name]) if name in looks and cell.strip() else cell for cell, name in pairs
        )


def _cell(text: str, width: int) -> list[str]:
    return [part for line in text.split("\n") for part in _wrapped(line, width)]


def _wrapped(line: str, width: int) -> list[str]:
    return [line] if columns_of(line) <= width else wrapped(line, width) or [""]


def _blocks(columns: Mapping[str, Sequence[str]], width: int) -> Iterator[str]:
    """Each row as a block: a heading and a cell a line."""
    names = {name: " ".join(name.split()) for name in columns}
    side = max(map(columns_of, names.values()), default=0) + len(GAP)
    for at, row in enumerate(zip(*columns.values(), strict=True)):
        if at:
            yield ""
        for name, cell in zip(columns, row, strict=True):
            for number, part in enumerate(_cell(cell, width - side)):
                yield f"{padded('' if number else names[name], side)}{part}".rstrip()
