"""Runs of digits to `0`, the commonest shape, by bytes: the same as `replace_all("[0-9]+", "0")`, twice as fast."""

from __future__ import annotations

import numpy as np
import polars as pl

RUNS = ("[0-9]+", "0")
_ZEROS = bytes.maketrans(b"0123456789", b"0" * 10)
_ROWS = 8_192
"""Rows at a time: about a megabyte of text, which stays in the processor's cache."""


def collapse(messages: pl.Expr) -> pl.Expr:
    """`messages` (String) with each run of ASCII digits as one `0`."""
    return messages.map_batches(collapse_series, return_dtype=pl.String, is_elementwise=True)


def collapse_series(messages: pl.Series) -> pl.Series:
    """The same of a series; messages that are null or hold a newline take the slow way."""
    parts = [_collapse(messages.slice(start, _ROWS)) for start in range(0, len(messages), _ROWS)]
    return pl.concat(parts, rechunk=False) if parts else messages


def _collapse(part: pl.Series) -> pl.Series:
    if part.null_count():
        return part.str.replace_all(*RUNS)
    text = part.str.join("\n").item().encode()
    if text.count(b"\n") != len(part) - 1:
        return part.str.replace_all(*RUNS)
    bytes_ = np.frombuffer(text.translate(_ZEROS), dtype=np.uint8)
    zero = bytes_ == ord("0")
    keep = np.ones(len(bytes_), dtype=bool)
    np.logical_and(zero[1:], zero[:-1], out=keep[1:])
    np.logical_not(keep[1:], out=keep[1:])
    return pl.Series(part.name, [bytes_[keep].tobytes().decode()]).str.split("\n").explode()
