"""Masks of messages."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl


def apply_masks(message: pl.Expr, pairs: Iterable[tuple[str, str]]) -> pl.Expr:
    """`message` with each (regular expression, replacement) applied in order."""
    for pattern, replacement in pairs:
        message = message.str.replace_all(pattern, replacement)
    return message
