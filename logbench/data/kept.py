"""Keys of which a part stays as it is: neither masked nor made a template."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from .masks import apply_masks

# Between the part that stays and the text that is parsed.
KEPT = "\x1e\x1f"


def masked(text: pl.Expr, pairs: Sequence[tuple[str, str]], may_keep: bool) -> pl.Expr:
    """`text` with masks applied, before `KEPT` none.

    Args:
        may_keep: whether a text may hold `KEPT` at all.
    """
    if not may_keep or not pairs:
        return apply_masks(text, pairs)
    kept = text.str.extract(f"(?s)^(.*?){KEPT}")
    rest = apply_masks(text.str.replace(f"(?s)^.*?{KEPT}", ""), pairs)
    return pl.when(kept.is_null()).then(rest).otherwise(kept + KEPT + rest)


def split(messages: pl.Series) -> tuple[list[str], pl.Series] | None:
    """The part of each message that stays, and the text that is parsed; None where none stays."""
    if not messages.str.contains(KEPT, literal=True).any():
        return None
    pairs = [text.partition(KEPT) for text in messages.fill_null("").to_list()]
    kept = [before if between else "" for before, between, _ in pairs]
    rest = [after if between else before for before, between, after in pairs]
    return kept, pl.Series("message", rest, dtype=pl.String)


def shown(messages: pl.Series) -> pl.Series:
    """The messages as people read them."""
    return messages.str.replace(KEPT, " ", literal=True).str.strip_chars_end(" ")
