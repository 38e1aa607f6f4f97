"""Quotes in tables, by one grammar for cells and for lines: that of Python's `csv`.

A quote at the beginning of a cell opens one; in it two quotes are one, and a single one closes it. What follows up
to the next separator belongs to the cell. Any other quote is a character.
"""

from __future__ import annotations

import re

import numpy as np
import polars as pl

from ..base.kernel import kernel
from ..base.kernel_table import open_quotes


def cell(number: int | None, between: str, quote: str, closed: bool) -> str:
    """The regular expression of a cell: groups `q`, `t` and `u` with its number, or none.

    Args:
        number: of the column; None where nobody asks for it.
        closed: a quote that does not close makes no cell; otherwise it is a character.
    """
    other = f"[^{re.escape(between)}]" if quote == "none" else f'[^{re.escape(between)}"]'
    rest = f"[^{re.escape(between)}]*"
    if quote == "none":
        return f"({_name('u', number)}{rest})"
    quoted = f'"({_name("q", number)}(?:[^"]|"")*)"({_name("t", number)}(?:{other}{rest})?)'
    plain = f"(?:{other}{rest})?" if closed else rest
    return f"(?:{quoted}|({_name('u', number)}{plain}))"


def _name(kind: str, number: int | None) -> str:
    return "?:" if number is None else f"?P<{kind}{number}>"


def open_at(lines: pl.Series, between: str) -> pl.Series:
    """Whether a quote is open where a line begins, because those before opened one.

    A line leaves a quote open or closed, by whether one was open before it. What holds at a line is the last
    answer that did not depend on the lines before, turned over by each line since that turns it.
    """
    if (built := kernel()) and len(between) == 1 and between.isascii():
        return pl.Series(open_quotes(built, lines, between))
    some = cell(None, between, "double", closed=True)
    opens = rf'(?s)^(?:{some}{re.escape(between)})*"(?:[^"]|"")*$'
    quoted = lines.str.contains('"', literal=True)
    from_closed = np.zeros(len(lines), dtype=bool)
    from_open = np.ones(len(lines), dtype=bool)
    at = quoted.arg_true()
    some_lines = lines.gather(at).to_frame("raw").select("raw", inside='"' + pl.col("raw"))
    from_closed[at.to_numpy()] = some_lines["raw"].str.contains(opens).to_numpy()
    from_open[at.to_numpy()] = some_lines["inside"].str.contains(opens).to_numpy()
    fixed, turns = from_closed == from_open, from_closed & ~from_open
    state = np.zeros(len(lines) + 1, dtype=bool)
    changed = np.flatnonzero(fixed | turns)
    known = False
    for line in changed.tolist():
        known = bool(from_closed[line]) if fixed[line] else not known
        state[line + 1] = known
    held = np.zeros(len(lines) + 1, dtype=np.int64)
    held[changed + 1] = changed + 1
    return pl.Series(state[np.maximum.accumulate(held)][:-1])
