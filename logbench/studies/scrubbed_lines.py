"""Lines without the ids of sealed units, which lines of other units may name."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ..data.lines import Lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Columns of lines whose text may name a unit.
TEXTS = ("message", "raw", "key")
# Signs of an id that is looked for in lines of other units, at least: a shorter one is a word of any text.
TELLING = 6
# A part of an id whose letters are digits, too, as in a UUID.
HEXADECIMAL = re.compile(r"(?<![^\W_])[0-9a-fA-F]{2,}(?![^\W_])")
# Lines that are looked through at a time.
LOOKED = 1 << 20


def scrubbed_lines(
    opened: Lines, shared: NDArray[np.bool_], kept: NDArray[np.bool_], column: str, units: pl.DataFrame
) -> pl.DataFrame | None:
    """Open lines that name sealed units, without them: no id in the column, no digit of it in the text."""
    sealed = units.filter("sealed")["id"].unique()
    names = [name for name in TEXTS if name in opened.frame.collect_schema()]
    told = _named(opened, names, kept & ~shared, sealed)
    if not (some := shared | told).any():
        return None
    lines = opened.frame.filter(rows_at(some)).select("line", column, *names).collect()
    edited, many = {"line": lines["line"]}, lines.schema[column] == pl.List(pl.String)
    if many:
        left = lines[column].list.eval(pl.element().filter(~pl.element().is_in(sealed.implode())))
        edited[column] = left
    own = pl.col(column).fill_null([]) if many else pl.concat_list(column)
    known = set(sealed)
    for name in names:
        inside = pl.col(name).fill_null("").str.extract_many(_telling(sealed), overlapping=True)
        ids = lines.select(own.list.concat(inside)).to_series()
        texts = [
            _without(text, {one for one in each if one in known})
            for text, each in zip(lines[name], ids, strict=True)
        ]
        edited[name] = pl.Series(texts, dtype=pl.String)
    return pl.DataFrame(edited)


def _named(opened: Lines, names: Sequence[str], among: NDArray[np.bool_], sealed: pl.Series) -> NDArray[np.bool_]:
    """Which lines name a sealed unit that they are no part of; bool [lines]."""
    found, ids = np.zeros(len(among), dtype=bool), _telling(sealed)
    if not ids or not among.any():
        return found
    lines = opened.frame.filter(rows_at(among)).select("line", *names)
    for batch in lines.collect_batches(chunk_size=LOOKED, maintain_order=True):
        hit = pl.any_horizontal(pl.col(name).str.contains_any(ids).fill_null(False) for name in names)
        found[batch.filter(hit)["line"].to_numpy()] = True
    return found


def _telling(sealed: pl.Series) -> list[str]:
    return sealed.filter(sealed.str.len_chars() >= TELLING).to_list()


def _without(text: str | None, ids: Collection[str]) -> str | None:
    """A text with every digit of these ids as 0, also hexadecimal ones: masks and shapes see the same."""
    if text is None:
        return None
    for one in sorted(ids, key=len, reverse=True):
        blank = re.sub("[0-9]", "0", HEXADECIMAL.sub(lambda found: "0" * len(found[0]), one))
        text = re.sub(rf"(?<![^\W_]){re.escape(one)}(?![^\W_])", blank, text)
    return text


def rows_at(marked: NDArray[np.bool_]) -> pl.Expr:
    """Whether a line is marked."""
    return pl.col("line").map_batches(lambda line: pl.Series(marked[line.to_numpy()]), return_dtype=pl.Boolean)
