"""An index of templates of one length by their tokens, for leaves of many."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from itertools import chain, islice

# Lists counted beyond those that suffice: each asks for one more equal token of a candidate.
MORE = 3


class TokenLists:
    """Lists, for each position and token, the places of the templates that have (or had) it there.

    A template that equals a message in all but `spare` tokens is in one of any `spare + 1` lists of the message,
    so its shortest lists give all candidates; of new messages that is a handful, however many templates there are.

    Attributes:
        size: number of templates that were entered.
    """

    __slots__ = ("_lists", "size")

    def __init__(self) -> None:
        self.size = 0
        # Most lists have one place, and a number costs Python's collector nothing.
        self._lists: list[dict[str, int | array[int]]] = []

    def enter(self, tokens: Sequence[str | None]) -> None:
        """Enter the next template; a token that becomes a wildcard later stays in its list."""
        if not self.size:
            self._lists = [{} for _ in tokens]
        place = self.size
        self.size += 1
        for token, lists in zip(tokens, self._lists, strict=True):
            if token is None:
                continue
            places = lists.setdefault(token, place)
            if places is place:
                continue
            if isinstance(places, int):
                lists[token] = array("i", (places, place))
            else:
                places.append(place)

    def candidates(self, tokens: Sequence[str], least: int, most: float) -> list[int] | None:
        """Places of all templates that may have `least` equal tokens, at least 1, ascending.

        None where the lists that tell have more than `most` entries.
        """
        spare = len(tokens) - least
        looked_at = min(spare + 1 + MORE, len(tokens))
        single, several = self._lists_of(tokens)
        room = looked_at - (len(tokens) - len(single) - len(several))  # other lists are empty
        del single[max(room, 0) :], several[max(room - len(single), 0) :]
        if len(single) + sum(map(len, several)) > most:
            return None
        times = Counter(single)
        times.update(chain.from_iterable(several))
        return sorted(at for at, equal in times.items() if equal >= looked_at - spare)

    def rarest(self, tokens: Sequence[str], most: int) -> list[int]:
        """At most so many places of templates that share a token, those of the shortest lists first."""
        single, several = self._lists_of(tokens)
        return list(islice(chain(single, chain.from_iterable(several)), most))

    def _lists_of(self, tokens: Sequence[str]) -> tuple[list[int], list[array[int]]]:
        """The lists of the tokens: of those with one place it, and the longer ones, the shortest first."""
        lists = [lists.get(token) for lists, token in zip(self._lists, tokens, strict=True)]
        single = [one for one in lists if isinstance(one, int)]
        several = [one for one in lists if isinstance(one, array)]
        several.sort(key=len)
        return single, several
