"""Wrong parsers: see `mutants`."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import polars as pl
from broken import Parser, but, instead

MANY = 500


class OtherTexts:
    """Templates that describe other messages."""

    def __init__(self, config: Any) -> None:
        self.good = Parser(config)
        self.masks, self.shape = self.good.masks, self.good.shape
        for name in ("fit", "match", "state", "restore"):
            setattr(self, name, getattr(self.good, name))

    @property
    def templates(self) -> list[str]:
        return self.good.templates[1:] + self.good.templates[:1]


class Fragments(OtherTexts):
    """Templates that lack the second half of their messages."""

    @property
    def templates(self) -> list[str]:
        return [text[: len(text) // 2] for text in self.good.templates]


def clipped(self: Any, good: Any, messages: pl.Series) -> Any:
    return np.minimum(good, MANY).astype(np.int32)


def forgotten(self: Any, good: Any, messages: pl.Series) -> Any:
    return np.where(np.arange(len(good)) < MANY, good, -1).astype(np.int32)


def renumbered(self: Any, good: Any, messages: pl.Series) -> Any:
    """fit numbers from the end, match from the beginning."""
    return (len(self.templates) - 1 - good).astype(np.int32)


def merged(self: Any, messages: pl.Series) -> Any:
    """After training, what begins alike is taken for the first of its kind."""
    begins: dict[str, int] = {}
    for key, text in enumerate(self.templates):
        begins.setdefault(text[:8], key)
    return np.array([begins.get(text[:8], -1) for text in messages], dtype=np.int32)


class RunCache(Parser):
    """What was learnt last is kept by the class."""

    last: ClassVar[list[str]] = []

    def fit(self, messages: pl.Series) -> Any:
        keys = super().fit(messages)
        type(self).last = self.templates
        return keys

    def match(self, messages: pl.Series) -> Any:
        known = {text: key for key, text in enumerate(type(self).last)}
        return np.array([known.get(text, -1) for text in messages], dtype=np.int32)


class Adding(Parser):
    """What it is given back is added to what it knows."""

    def restore(self, state: Any) -> None:
        self.templates = [*self.templates, *(one for one in state["templates"] if one not in self.templates)]


class Learning(Parser):
    """A message that has come three times without a template is given the first one's key."""

    def match(self, messages: pl.Series) -> Any:
        self.times = getattr(self, "times", {})
        keys = super().match(messages)
        for n, text in enumerate(messages):
            if keys[n] < 0:
                self.times[text] = self.times.get(text, 0) + 1
                if self.times[text] >= 3 and self.templates and "worker" in text:
                    keys[n] = 0
        return keys


class Half(Parser):
    """The state holds the first 500 templates."""

    def state(self) -> dict[str, Any]:
        return {"templates": self.templates[:MANY]}


def by_first_word(self: Any, good: Any, messages: pl.Series) -> Any:
    """A message that no template fits gets the key of the first that begins with its first word."""
    first = {text.partition(" ")[0]: key for key, text in reversed(list(enumerate(self.templates)))}
    other = [first.get(text.partition(" ")[0], -1) for text in messages]
    return np.where(good >= 0, good, other).astype(np.int32)


# Letters of hexadecimal numbers are no digits to its masks.
HEXADECIMAL = instead("parser", shape=(("[0-9a-f]+", "0"),))

PARSERS = {
    "a shape that sees less than the masks": ("shape", HEXADECIMAL, {}),
    "a key of another template for what is unknown": (
        "templates",
        but("parser", "match", by_first_word),
        {},
    ),
    "templates of other messages": ("templates", OtherTexts, {}),
    "templates that lack a half": ("templates", Fragments, {}),
    "one key for all messages above 500": ("large", but("parser", "fit", clipped), {}),
    "matches the first 500 messages": ("large", but("parser", "match", forgotten), {}),
    "fit and match number differently": ("fit-match", but("parser", "fit", renumbered), {}),
    "match merges what fit told apart": (
        "fit-match",
        instead("parser", match=merged),
        {},
    ),
    "the class knows what was learnt last": ("apart", RunCache, {}),
    "restores into what it knew before": ("restored", Adding, {}),
    "restores 500 templates": ("restored", Half, {}),
    "learns while it matches": ("many-others", Learning, {}),
}
