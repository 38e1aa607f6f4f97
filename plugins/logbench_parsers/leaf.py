"""A leaf of Drain's tree: templates of one length, with an exact search for the similar ones."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from operator import eq

import numpy as np
from numpy.typing import NDArray

# The learnt wildcard is None, so that no message can contain it.
Token = str | None

# Number of templates from which they are searched by an index, not one by one.
WIDE = 32
# Lists of the index counted beyond those that suffice: each asks for one more equal token of a candidate.
MORE = 3
# An entry of a list costs about as much as so many comparisons of token numbers in numpy.
ENTRY = 50
NOTHING = array("i")


@dataclass(slots=True)
class Template:
    """A template: its `tokens`, number of wildcards, branches to its leaf, and position in the leaf."""

    key: int
    tokens: list[Token]
    wildcards: int
    path: list[Token]
    place: int = -1


class Leaf:
    """Templates of one length, the oldest first.

    The index lists, for each position and token, the templates that have (or had) it there. A template that
    equals a message in all but `spare` tokens is in one of any `spare + 1` lists of the message, so those of its
    rarest tokens give all candidates; of new messages that is a handful, however many templates there are. Where
    these lists are long, all templates are compared in numpy instead.

    Attributes:
        templates: the oldest first.
        fixed: fewest tokens of a template that are no wildcards.
    """

    __slots__ = ("_codes", "_lists", "_pending", "_table", "_uses", "fixed", "templates")

    def __init__(self) -> None:
        self.templates: list[Template] = []
        self.fixed = 0
        # Token numbers, and how often each was entered into the index.
        self._codes: dict[Token, int] = {None: -1}
        self._uses: list[int] = []
        # At each position the places of the templates by token number.
        self._lists: list[dict[int, array[int]]] = []
        # Only where lists are long, int32 [tokens, room]: a column of token numbers a template, −1 its wildcards.
        self._table: NDArray[np.int32] = np.empty((0, 0), np.int32)
        self._pending: list[Template] = []

    def add(self, template: Template) -> None:
        """Add a template of the leaf's length."""
        fixed = len(template.tokens) - template.wildcards
        self.fixed = min(self.fixed, fixed) if self.templates else fixed
        template.place = len(self.templates)
        self.templates.append(template)
        self._pending.append(template)
        if len(self.templates) == WIDE:
            self._lists = [{} for _ in template.tokens]
            self._table = np.empty((len(template.tokens), 0), np.int32)
            for one in self.templates:
                self._enter(one)
        elif len(self.templates) > WIDE:
            self._enter(template)

    def join(self, template: Template, tokens: Sequence[str]) -> None:
        """Replace tokens of `template`, one of this leaf, by wildcards where they differ from `tokens`."""
        template.tokens = [a if a == b else None for a, b in zip(template.tokens, tokens, strict=True)]
        template.wildcards = template.tokens.count(None)
        self.fixed = min(self.fixed, len(tokens) - template.wildcards)
        self._pending.append(template)

    def similar(self, tokens: Sequence[str], least: int) -> list[tuple[Template, int]]:
        """The templates with at least `least` equal tokens, the oldest first, each with its equal tokens."""
        found: Sequence[Template] = self.templates
        if len(self.templates) >= WIDE:
            places = self._candidates(tokens, least)
            if places is None:
                equal = self._equal(tokens)
                return [(self.templates[at], int(equal[at])) for at in np.flatnonzero(equal >= least).tolist()]
            found = [self.templates[at] for at in places]
        return [(one, same) for one in found if (same := sum(map(eq, one.tokens, tokens))) >= least]

    def _enter(self, template: Template) -> None:
        """Enter a template into the index; a token that becomes a wildcard later stays in it."""
        for token, lists in zip(template.tokens, self._lists, strict=True):
            if token is None:
                continue
            code = self._codes.setdefault(token, len(self._uses))
            if code == len(self._uses):
                self._uses.append(0)
            self._uses[code] += 1
            places = lists.get(code)
            if places is None:
                lists[code] = array("i", (template.place,))
            else:
                places.append(template.place)

    def _candidates(self, tokens: Sequence[str], least: int) -> list[int] | None:
        """Places of all templates that may have `least` equal tokens, ascending; None where lists are too long."""
        if least < 1:
            return None
        spare = len(tokens) - least
        looked_at = min(spare + 1 + MORE, len(tokens))
        codes = [(at, code) for at, token in enumerate(tokens) if (code := self._codes.get(token)) is not None]
        codes.sort(key=lambda one: self._uses[one[1]])
        unknown = len(tokens) - len(codes)  # lists that are empty
        lists = [self._lists[at].get(code, NOTHING) for at, code in codes[: max(looked_at - unknown, 0)]]
        if ENTRY * sum(map(len, lists)) > len(tokens) * len(self.templates):
            return None
        times = Counter(chain.from_iterable(lists))
        return sorted(at for at, equal in times.items() if equal >= looked_at - spare)

    def _equal(self, tokens: Sequence[str]) -> NDArray[np.int32]:
        """Number of equal tokens, int32 [templates]."""
        if (count := len(self.templates)) > self._table.shape[1]:
            table = np.empty((len(tokens), 2 * count), np.int32)
            table[:, : self._table.shape[1]] = self._table
            self._table = table
        for one in self._pending:
            self._table[:, one.place] = [self._codes[token] for token in one.tokens]
        self._pending.clear()
        codes = np.array([self._codes.get(token, -2) for token in tokens], np.int32)
        equal: NDArray[np.int32] = (self._table[:, :count] == codes[:, None]).sum(0, dtype=np.int32)
        return equal
