"""A leaf of Drain's tree: templates of one length, with an exact search for the similar ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import eq
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .token_lists import TokenLists

# The learnt wildcard is None, so that no message can contain it.
Token = str | None

# Number of templates from which they are not compared one by one.
WIDE = 16
# Number of templates above which lists of tokens are faster than a table of all, where they are short.
SCANNED = 2_000
# An entry of a list costs about as much as so many comparisons of tokens in a table.
ENTRY = 50
# Templates to compare with where a leaf has too many, at least half of them by rare tokens.
NEAR = 512
# Equal tokens that a byte counts.
BYTE = 255


@dataclass(slots=True)
class Template:
    """A template: its `tokens`, number of wildcards, branches to its leaf, and position in the leaf.

    Tuples, because Python's collector leaves those of strings alone, but goes through all lists again and again.
    """

    key: int
    tokens: tuple[Token, ...]
    wildcards: int
    path: tuple[Token, ...]
    place: int = -1


class Leaf:
    """Templates of one length, the oldest first.

    A table has a byte of each token's hash. Equal bytes are at least as many as equal tokens, so the few templates
    that have enough of them are compared token by token. Of more than `SCANNED` or `most` templates an index gives
    those to compare with; where its lists are long, the table does. Of more than `most` templates the table has
    only `NEAR` looked at: some with wildcards, and some that share rare tokens.

    Args:
        most: templates up to which the search is always exact.

    Attributes:
        templates: the oldest first.
        fixed: fewest tokens of a template that are no wildcards.
        bounded: messages that were not compared with all templates that may be similar.
    """

    __slots__ = ("_free", "_joined", "_lists", "_most", "_pending", "_table", "bounded", "fixed", "templates")

    def __init__(self, most: int) -> None:
        self.templates: list[Template] = []
        self.fixed = self.bounded = 0
        self._most = most
        # Places of the first templates that had wildcards.
        self._joined: list[int] = []
        self._lists = TokenLists()
        # uint8 [tokens, room]: a column a template, 0 for its wildcards; and how many these are, int32 [room].
        self._table: NDArray[np.uint8] = np.empty((0, 0), np.uint8)
        self._free: NDArray[np.int32] = np.empty(0, np.int32)
        self._pending: list[Template] = []

    def add(self, template: Template) -> None:
        """Add a template of the leaf's length."""
        fixed = len(template.tokens) - template.wildcards
        self.fixed = min(self.fixed, fixed) if self.templates else fixed
        template.place = len(self.templates)
        self.templates.append(template)
        self._pending.append(template)
        if template.wildcards:
            self._generalised(template)

    def join(self, template: Template, tokens: Sequence[str]) -> None:
        """Replace tokens of `template`, one of this leaf, by wildcards where they differ from `tokens`."""
        if not template.wildcards:
            self._generalised(template)
        template.tokens = tuple(a if a == b else None for a, b in zip(template.tokens, tokens, strict=True))
        template.wildcards = template.tokens.count(None)
        self.fixed = min(self.fixed, len(tokens) - template.wildcards)
        self._pending.append(template)

    def similar(self, tokens: Sequence[str], least: int, fitting: bool = False) -> list[tuple[Template, int]]:
        """The templates with at least `least` equal tokens, the oldest first, each with its equal tokens.

        With `fitting` those, too, that differ at their wildcards alone.
        """
        chosen = self.templates if len(self.templates) < WIDE else self._likely(tokens, least, fitting)
        return [
            (one, same)
            for one in chosen
            if (same := sum(map(eq, one.tokens, tokens))) >= least
            or (fitting and same + one.wildcards == len(tokens))
        ]

    def _likely(self, tokens: Sequence[str], least: int, fitting: bool) -> list[Template]:
        """What `similar` has to compare with, the oldest first."""
        count = len(self.templates)
        if count > min(SCANNED, self._most):
            for one in self.templates[self._lists.size :]:
                self._lists.enter(one.tokens)
            fewest = min(least, self.fixed) if fitting else least
            entries = len(tokens) * min(count, self._most) / ENTRY
            places = self._lists.candidates(tokens, fewest, entries) if fewest >= 1 else None
            if places is not None:
                return [self.templates[at] for at in places]
        near = None if count <= self._most else self._nearby(tokens)
        equal, free = self._equal(tokens, near)
        likely = (equal >= least) | (equal + free >= len(tokens)) if fitting else equal >= least
        which = np.flatnonzero(likely)
        return [self.templates[at] for at in (which if near is None else near[which]).tolist()]

    def _generalised(self, template: Template) -> None:
        """Keep the place of a template that has its first wildcard."""
        if len(self._joined) < NEAR // 2:
            self._joined.append(template.place)

    def _nearby(self, tokens: Sequence[str]) -> NDArray[np.intp]:
        """Places of at most `NEAR` templates, ascending: some with wildcards, some that share rare tokens."""
        self.bounded += 1
        rare = self._lists.rarest(tokens, NEAR - len(self._joined))
        return np.unique(np.array([*self._joined, *rare], np.intp))

    def _equal(
        self, tokens: Sequence[str], which: NDArray[np.intp] | None
    ) -> tuple[NDArray[Any], NDArray[np.int32]]:
        """Most tokens that may be equal, and wildcards, int [templates], of all or of those at some places."""
        self._complete(len(tokens))
        count, own = len(self.templates), _bytes(tokens)[:, None]
        table, free = self._table[:, :count], self._free[:count]
        if which is not None:
            table, free = table.take(which, axis=1), free[which]
        counted = [
            (table[at : at + BYTE] == own[at : at + BYTE]).view(np.uint8).sum(axis=0, dtype=np.uint8)
            for at in range(0, max(len(tokens), 1), BYTE)
        ]
        equal = counted[0] if len(counted) == 1 else np.asarray(np.sum(counted, axis=0, dtype=np.int32))
        return equal, free

    def _complete(self, length: int) -> None:
        """Bring the table up to date."""
        if (count := len(self.templates)) > (room := self._table.shape[1]):
            table, free = np.empty((length, 2 * count), np.uint8), np.empty(2 * count, np.int32)
            if room:
                table[:, :room], free[:room] = self._table, self._free
            self._table, self._free = table, free
        for one in self._pending:
            column = _bytes(one.tokens)
            if one.wildcards:
                column[[token is None for token in one.tokens]] = 0
            self._table[:, one.place], self._free[one.place] = column, one.wildcards
        self._pending.clear()


def _bytes(tokens: Sequence[Token]) -> NDArray[np.uint8]:
    """A byte of each token's hash, never 0, uint8 [tokens]."""
    found = np.fromiter(map(hash, tokens), np.int64, len(tokens)).astype(np.uint8)
    return np.maximum(found, 1, out=found)
