"""A leaf of Drain's tree: templates of one length, with search for the most similar one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import eq

import numpy as np
from numpy.typing import NDArray

# The learnt wildcard is None, so that no message can contain it.
Token = str | None

# Number of templates from which comparing all at once in numpy is faster than one by one.
WIDE = 32


@dataclass(slots=True)
class Template:
    """A template: its `tokens`, number of wildcards, branches to its leaf, and position in the leaf."""

    key: int
    tokens: list[Token]
    wildcards: int
    path: list[Token]
    place: int = -1


class Leaf:
    """Templates of one length, the oldest first."""

    __slots__ = ("_codes", "_table", "_wildcards", "templates")

    def __init__(self) -> None:
        self.templates: list[Template] = []
        # Only for wide leaves, int32 [tokens, room]: a template is a column of token numbers, −1 its wildcards.
        self._table: NDArray[np.int32] = np.empty((0, 0), np.int32)
        self._wildcards: NDArray[np.int32] = np.empty(0, np.int32)
        self._codes: dict[Token, int] = {None: -1}

    def add(self, template: Template) -> None:
        """Add a template of the leaf's length."""
        template.place = len(self.templates)
        self.templates.append(template)
        if len(self.templates) >= WIDE:
            self._write(template)

    def join(self, template: Template, tokens: Sequence[str]) -> None:
        """Replace tokens of `template`, one of this leaf, by wildcards where they differ from `tokens`."""
        template.tokens = [a if a == b else None for a, b in zip(template.tokens, tokens, strict=True)]
        template.wildcards = template.tokens.count(None)
        if len(self.templates) >= WIDE:
            self._write(template)

    def most_similar(self, tokens: Sequence[str]) -> tuple[Template, int]:
        """The template with most equal tokens, then most wildcards, then the oldest; and its equal tokens."""
        if len(self.templates) >= WIDE:
            equal = self._equal(tokens)
            most = int(equal.max())
            wildcards = np.where(equal == most, self._wildcards[: len(equal)], -1)
            return self.templates[int(wildcards.argmax())], most
        best, most = self.templates[0], -1
        for template in self.templates:
            same = sum(map(eq, template.tokens, tokens))
            if same > most or (same == most and template.wildcards > best.wildcards):
                best, most = template, same
        return best, most

    def fitting(self, tokens: Sequence[str]) -> Template | None:
        """The template with fewest wildcards, then the oldest, that equals the message up to its wildcards."""
        whole = len(tokens)
        if len(self.templates) >= WIDE:
            equal = self._equal(tokens)
            places = np.flatnonzero(equal + self._wildcards[: len(equal)] == whole)
            fits = [self.templates[place] for place in places]
        else:
            fits = [t for t in self.templates if sum(map(eq, t.tokens, tokens)) + t.wildcards == whole]
        return min(fits, key=lambda template: template.wildcards, default=None)

    def _equal(self, tokens: Sequence[str]) -> NDArray[np.int32]:
        """Number of equal tokens, int32 [templates]."""
        codes = np.array([self._codes.get(token, -2) for token in tokens], np.int32)
        equal: NDArray[np.int32] = (self._table[:, : len(self.templates)] == codes[:, None]).sum(0, dtype=np.int32)
        return equal

    def _write(self, template: Template) -> None:
        if template.place < len(self._wildcards):
            codes = [self._codes.setdefault(token, len(self._codes)) for token in template.tokens]
            self._table[:, template.place] = codes
            self._wildcards[template.place] = template.wildcards
            return
        room = 2 * len(self.templates)
        self._table = np.empty((len(template.tokens), room), np.int32)
        self._wildcards = np.empty(room, np.int32)
        for one in self.templates:
            self._write(one)
