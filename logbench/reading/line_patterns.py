"""Groups of regular expressions that lines match, of the first one of several that fits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import polars as pl

from ..base.kernel import PERHAPS, YES, Kernel, kernel
from ..base.kernel_cut import cut
from ..base.line_programs import Program, program
from .peeling import Peeler, peeler

# Column that is null where a line does not match.
WHOLE = "whole_line__"
SAMPLE = pl.Series("raw", [""], dtype=pl.String)

# The group of a whole match; and of lines, one in so many that do not match are many.
_ALL, _MANY = "whole_match__", 16


def group_names(regex: str) -> list[str]:
    """Names of the capturing groups of a regular expression."""
    return [name for name in SAMPLE.str.extract_groups(regex).struct.fields if name]


@dataclass
class LinePattern:
    """A regular expression, and its groups that are asked for.

    Attributes:
        program: takes most lines apart, where there is a compiled kernel; None where the expression or most lines
            do not allow it.
        peeler: does so without one, at less cost than captures; None where they do not allow it either.
        choosy: more than a few of the lines seen last did not match.
    """

    regex: str
    names: Sequence[str]
    program: Program | None = field(default=None, repr=False)
    peeler: Peeler | None = field(default=None, repr=False)
    choosy: bool = field(default=False, repr=False)

    @classmethod
    def of(cls, regex: str, wanted: Collection[str]) -> LinePattern:
        """Of the groups, those that are `wanted`."""
        names = [name for name in _names(regex) if name in wanted]
        peel = peeler(regex, names) if names else None
        return cls(f"(?s)(?:{regex})", names, program(regex, tuple(names)), peel)

    def __call__(self, lines: pl.Series) -> tuple[pl.DataFrame, pl.Series]:
        """The groups, a column each, and which lines match; groups of others are null."""
        if self.program is not None and (found := kernel()):
            return self._cut(found, self.program, lines)
        return self._by_polars(lines)

    def _cut(self, found: Kernel, how: Program, lines: pl.Series) -> tuple[pl.DataFrame, pl.Series]:
        """The same by the kernel; lines of which it cannot tell by polars."""
        columns, told = cut(found, lines, how)
        groups, fits = pl.DataFrame(columns), pl.Series(told == YES)
        if not len(unknown := np.flatnonzero(told == PERHAPS)):
            return groups, fits
        if len(unknown) > len(lines) // 2:
            self.program = None
        at = pl.Series(unknown)
        rest, also = self._by_polars(lines.gather(at))
        groups = groups.with_columns(groups[name].scatter(at, rest[name]) for name in self.names)
        return groups, fits.scatter(at, also)

    def _by_polars(self, lines: pl.Series) -> tuple[pl.DataFrame, pl.Series]:
        if not self.names:
            return pl.DataFrame(), lines.str.contains(self.regex).fill_null(False)
        if (peel := self.peeler) is None:
            return self._captured(lines)
        columns, wrong = peel(lines)
        found = pl.DataFrame(columns).select(self.names)
        if not len(at := wrong.arg_true()):
            return found, ~wrong
        if len(at) > len(lines) // 2:
            self.peeler = None
        rest, fits = self._captured(lines.gather(at))
        found = found.with_columns(found[name].scatter(at, rest[name]) for name in self.names)
        return found, (~wrong).scatter(at, fits)

    def _captured(self, lines: pl.Series) -> tuple[pl.DataFrame, pl.Series]:
        """The same by captures; where many lines do not match, which is cheaper to see, of the others alone."""
        tried, fits = lines, None
        if self.choosy:
            fits = lines.str.contains(self.regex).fill_null(False)
            tried = lines if fits.all() else lines.set(~fits, None)
        found = tried.str.extract_groups(f"(?P<{_ALL}>{self.regex})").struct.unnest()
        fits = found[_ALL].is_not_null() if fits is None else fits
        self.choosy = int(fits.sum()) < len(lines) - len(lines) // _MANY
        return found.select(self.names), fits


@cache
def _names(regex: str) -> list[str]:
    return group_names(regex)


def matched(patterns: Sequence[LinePattern], lines: pl.Series) -> tuple[pl.DataFrame, pl.Series]:
    """The groups of the first pattern that each line matches, and whether it matches any."""
    found, fits = patterns[0](lines)
    for pattern in patterns[1:]:  # of the rest alone: one form is that of nearly all lines
        if not len(rest := (~fits).arg_true()):
            break
        if len(rest) == len(lines):  # the whole log may have a later form
            before = found
            found, fits = pattern(lines)
            none = pl.Series([None], dtype=pl.String).new_from_index(0, len(lines))
            found = found.with_columns(none.alias(name) for name in before.columns if name not in found)
            continue
        more, also = pattern(lines.gather(rest))
        names = dict.fromkeys((*found.columns, *more.columns))
        found = pl.DataFrame([_filled(found, name, rest, more, len(lines)) for name in names])
        fits = fits.scatter(rest, also)
    return found, fits


def _filled(found: pl.DataFrame, name: str, rest: pl.Series, more: pl.DataFrame, length: int) -> pl.Series:
    """A column of `found`, with that of `more` at the places `rest`."""
    empty = pl.Series(name, [None], dtype=pl.String)
    column = found[name] if name in found else empty.new_from_index(0, length)
    return column.scatter(rest, more[name]).alias(name) if name in more else column
