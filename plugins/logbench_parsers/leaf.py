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
# Templates to compare with where a leaf has too many, at least half of them by rare tokens.
NEAR = 512
NOTHING: Sequence[int] = ()


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

    The index lists, for each position and token, the templates that have (or had) it there. A template that
    equals a message in all but `spare` tokens is in one of any `spare + 1` lists of the message, so those of its
    rarest tokens give all candidates; of new messages that is a handful, however many templates there are. Where
    these lists are long, all templates are compared in numpy instead; of more than `most` templates only `NEAR`
    are: some with wildcards, and some in the lists of the rarest tokens.

    Args:
        most: templates up to which the search is always exact.

    Attributes:
        templates: the oldest first.
        fixed: fewest tokens of a template that are no wildcards.
        bounded: messages that were not compared with all templates that may be similar.
    """

    __slots__ = ("_codes", "_joined", "_lists", "_most", "_pending", "_table", "_uses", "bounded", "fixed",
                 "templates")  # fmt: skip

    def __init__(self, most: int) -> None:
        self.templates: list[Template] = []
        self.fixed = self.bounded = 0
        self._most = most
        # Places of the first templates that had wildcards.
        self._joined: list[int] = []
        # Token numbers, and how often each was entered into the index.
        self._codes: dict[Token, int] = {None: -1}
        self._uses: list[int] = []
        # At each position the places of the templates by token number: most are of one template, and a number
        # costs Python's collector nothing.
        self._lists: list[dict[int, int | array[int]]] = []
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
        if template.wildcards:
            self._generalised(template)
        if len(self.templates) == WIDE:
            self._lists = [{} for _ in template.tokens]
            self._table = np.empty((len(template.tokens), 0), np.int32)
            for one in self.templates:
                self._enter(one)
        elif len(self.templates) > WIDE:
            self._enter(template)

    def join(self, template: Template, tokens: Sequence[str]) -> None:
        """Replace tokens of `template`, one of this leaf, by wildcards where they differ from `tokens`."""
        if not template.wildcards:
            self._generalised(template)
        template.tokens = tuple(a if a == b else None for a, b in zip(template.tokens, tokens, strict=True))
        template.wildcards = template.tokens.count(None)
        self.fixed = min(self.fixed, len(tokens) - template.wildcards)
        self._pending.append(template)

    def similar(self, tokens: Sequence[str], least: int) -> list[tuple[Template, int]]:
        """The templates with at least `least` equal tokens, the oldest first, each with its equal tokens."""
        found: Sequence[Template] = self.templates
        if len(self.templates) >= WIDE:
            places = self._candidates(tokens, least)
            if places is None:
                near = None if len(self.templates) <= self._most else self._nearby(tokens)
                equal = self._equal(tokens, near)
                which = np.flatnonzero(equal >= least)
                places = (which if near is None else near[which]).tolist()
                return [(self.templates[at], same) for at, same in zip(places, equal[which].tolist(), strict=True)]
            found = [self.templates[at] for at in places]
        return [(one, same) for one in found if (same := sum(map(eq, one.tokens, tokens))) >= least]

    def _enter(self, template: Template) -> None:
        """Enter a template into the index; a token that becomes a wildcard later stays in it."""
        codes, uses, place = self._codes, self._uses, template.place
        for token, lists in zip(template.tokens, self._lists, strict=True):
            if token is None:
                continue
            code = codes.get(token)
            if code is None:
                code = codes[token] = len(uses)
                uses.append(0)
            uses[code] += 1
            places = lists.setdefault(code, place)
            if places is place:
                continue
            if isinstance(places, int):
                lists[code] = array("i", (places, place))
            else:
                places.append(place)

    def _candidates(self, tokens: Sequence[str], least: int) -> list[int] | None:
        """Places of all templates that may have `least` equal tokens, ascending; None where lists are too long."""
        if least < 1:
            return None
        spare = len(tokens) - least
        looked_at = min(spare + 1 + MORE, len(tokens))
        rarest = self._rarest(tokens)
        unknown = len(tokens) - len(rarest)  # lists that are empty
        del rarest[max(looked_at - unknown, 0) :]
        places = [found for _, at, code in rarest if (found := self._lists[at].get(code)) is not None]
        single = [place for place in places if isinstance(place, int)]
        lists = [several for several in places if not isinstance(several, int)]
        entries = len(single) + sum(map(len, lists))
        if entries * ENTRY > len(tokens) * min(len(self.templates), self._most):
            return None
        times = Counter(single)
        times.update(chain.from_iterable(lists))
        return sorted(at for at, equal in times.items() if equal >= looked_at - spare)

    def _rarest(self, tokens: Sequence[str]) -> list[tuple[int, int, int]]:
        """How often each known token is in the index, its position and number, the rarest first."""
        uses = self._uses
        known = [
            (uses[code], at, code) for at, code in enumerate(map(self._codes.get, tokens)) if code is not None
        ]
        known.sort()
        return known

    def _generalised(self, template: Template) -> None:
        """Keep the place of a template that has its first wildcard."""
        if len(self._joined) < NEAR // 2:
            self._joined.append(template.place)

    def _nearby(self, tokens: Sequence[str]) -> NDArray[np.intp]:
        """Places of at most `NEAR` templates, ascending: some with wildcards, some that share rare tokens."""
        self.bounded += 1
        places, room = [np.array(self._joined, np.intp)], NEAR - len(self._joined)
        for _, at, code in self._rarest(tokens):
            if room <= 0:
                break
            several = np.atleast_1d(self._lists[at].get(code, NOTHING))[:room]
            places.append(several.astype(np.intp))
            room -= len(several)
        return np.unique(np.concatenate(places))

    def _equal(self, tokens: Sequence[str], which: NDArray[np.intp] | None) -> NDArray[np.int32]:
        """Number of equal tokens, int32 [templates], of all or of those at some places."""
        if (count := len(self.templates)) > self._table.shape[1]:
            table = np.empty((len(tokens), 2 * count), np.int32)
            table[:, : self._table.shape[1]] = self._table
            self._table = table
        for one in self._pending:
            self._table[:, one.place] = [self._codes[token] for token in one.tokens]
        self._pending.clear()
        codes = np.array([self._codes.get(token, -2) for token in tokens], np.int32)
        table = self._table[:, :count] if which is None else self._table.take(which, axis=1)
        equal: NDArray[np.int32] = (table == codes[:, None]).sum(0, dtype=np.int32)
        return equal
