"""The values that stand in messages where their template has a wildcard."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A template's wildcard, whatever a parser calls the kinds of its variables.
WILDCARD = "<*>"
VALUES = pl.List(pl.String)


def parameters_of(messages: pl.Series, keys: NDArray[np.int32], templates: Sequence[str]) -> pl.Series:
    """The values at the wildcards of each message's template, List(String) [messages].

    All lists of one key are of one length. A message of a key that has no template has null.

    Args:
        messages: as they were before masking, String.
        keys: int32 [messages]. templates: of each known key.
    """
    order = np.argsort(keys, kind="stable")
    ends = np.flatnonzero(np.diff(keys[order], append=-1)) + 1
    found = [pl.Series("parameters", [], dtype=VALUES)]
    for begin, end in pairwise([0, *ends.tolist()]):
        rows, key = order[begin:end], int(keys[order[begin]])
        known = key < len(templates)
        found.append(values_of(messages.gather(rows), templates[key]) if known else _repeated(None, len(rows)))
    place = np.empty(len(keys), dtype=np.int64)
    place[order] = np.arange(len(keys))
    return pl.concat(found).gather(place)


def values_of(messages: pl.Series, template: str) -> pl.Series:
    """The values at the wildcards of one template, List(String) [messages], white space around each cut off.

    Each value reaches to the next text of the template, as early as that comes. A message that the template does
    not fit, since the parser takes messages that are only similar, is laid beside it word by word; null where
    it has more or fewer words. Of wildcards without text between them, the first has the value, the others "".
    """
    if WILDCARD not in template:
        return _repeated([], len(messages))
    words = template.split()
    found = _cut(messages, template)
    for again in (_spaced, _beside):
        if not (missing := found.is_null()).any():
            break
        more, place = again(messages.filter(missing), words), missing.cum_sum() + (len(found) - 1)
        found = pl.concat([found, more]).gather(place.zip_with(missing, pl.int_range(len(found), eager=True)))
    return found


def _cut(messages: pl.Series, template: str) -> pl.Series:
    """Values between the texts of a template; null where they do not occur in this order."""
    first, *texts = template.split(WILDCARD)
    fits, rest = messages.str.starts_with(first), messages.str.strip_prefix(first)
    values: list[pl.Series] = []
    shared = 0
    for text in texts[:-1]:
        if not text:
            shared += 1
            continue
        parts = rest.str.splitn(text, 2)
        values += _with_shared(parts.struct.field("field_0"), shared)
        rest, shared = parts.struct.field("field_1"), 0
    fits = (fits & rest.str.ends_with(texts[-1])).fill_null(False)
    values += _with_shared(rest.str.strip_suffix(texts[-1]), shared)
    frame = pl.DataFrame([value.alias(str(at)) for at, value in enumerate(values)]).with_columns(fits=fits)
    return frame.select(pl.when("fits").then(pl.concat_list(pl.exclude("fits").str.strip_chars()))).to_series()


def _with_shared(value: pl.Series, shared: int) -> list[pl.Series]:
    return [value, *[pl.Series([""]).new_from_index(0, len(value))] * shared]


def _spaced(messages: pl.Series, words: Sequence[str]) -> pl.Series:
    """Values where white space is told from other white space by neither."""
    return _cut(messages.str.replace_all(r"\s+", " ").str.strip_chars(), " ".join(words))


def _beside(messages: pl.Series, words: Sequence[str]) -> pl.Series:
    """Values of messages laid beside a template word by word; null where the number of words differs."""
    parts = messages.str.extract_all(r"\S+")
    same = parts.list.len() == len(words)
    values = []
    for at, word in enumerate(words):
        if count := word.count(WILDCARD):
            part = parts.list.get(at, null_on_oob=True)
            whole = (
                pl.DataFrame({"part": part})
                .select(pl.concat_list("part", *[pl.lit("")] * (count - 1)))
                .to_series()
            )
            cut = _cut(part, word)
            values.append(cut.zip_with(cut.is_not_null(), whole))
    frame = pl.DataFrame([value.alias(str(at)) for at, value in enumerate(values)]).with_columns(same=same)
    return frame.select(pl.when("same").then(pl.concat_list(pl.exclude("same")))).to_series()


def _repeated(value: list[str] | None, size: int) -> pl.Series:
    return pl.Series("parameters", [value], dtype=VALUES).new_from_index(0, size)
