"""Rules for parsers: a template fits its messages, and `match` gives the keys of `fit`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl

from . import material
from .outcome import ViolationError, expect
from .parser import Learnt, everything, learned, learned_many, masked
from .rule import Subject, rule

WILDCARD = "<*>"


@rule("parser", "templates", "the template of a key is its messages' text, with <*> where they differ")
def templates(subject: Subject) -> None:
    for learnt in (learned(subject), learned_many(subject)):
        known = list(learnt.parser.templates)
        both = pl.concat([everything(learnt), masked(learnt.parser, material.many_messages(400))])
        for what, messages, keys in (
            ("fit", learnt.messages, learnt.keys),
            ("match", both, learnt.parser.match(both)),
        ):
            for message, key in zip(messages, keys, strict=True):
                if key >= 0 and not fits(known[key], message):
                    raise ViolationError(
                        f"templates that describe their messages ({WILDCARD} for what varies)",
                        f"{what} gives {message!r} the template {known[key]!r}",
                    )


def fits(template: str, message: str) -> bool:
    """Whether the template gives the message with some text for each wildcard, apart from blanks and case."""
    pieces, text = [_plain(piece) for piece in template.split(WILDCARD)], _plain(message)
    if len(pieces) == 1:
        return pieces[0] == text
    first, *middle, last = pieces
    if not (text.startswith(first) and text.endswith(last)):
        return False
    return _in_order(middle, text[len(first) : len(text) - len(last)]) and len(first) + len(last) <= len(text)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _in_order(pieces: Iterable[str], text: str) -> bool:
    position = 0
    for piece in pieces:
        if (position := text.find(piece, position)) < 0:
            return False
        position += len(piece)
    return True


@rule("parser", "fit-match", "match gives each message of the training the key that fit gave it")
def fit_and_match(subject: Subject) -> None:
    for learnt in (learned(subject), learned_many(subject)):
        _agree(learnt, learnt.parser.match(learnt.messages))


def _agree(learnt: Learnt, matched: Sequence[int]) -> None:
    far = np.flatnonzero(np.asarray(learnt.keys) != np.asarray(matched))
    row = int(far[0]) if len(far) else 0
    expect(
        not len(far),
        f"the keys of fit for all {len(learnt.messages)} training messages",
        f"{len(far)} others, first {matched[row]} instead of {learnt.keys[row]} for {learnt.messages[row]!r}",
    )
