"""Entries in series: those of one key in one session, in order; which of them train, and on what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Sessions

# A part of each series is held out: its last pairs, one of so many, and one at least.
HELD_OUT = 10


@dataclass(frozen=True)
class Series:
    """Events of known keys, series after series.

    Attributes:
        events: int64 [n], position of each in the sessions.
        keys: int32 [n].
        place: int64 [n], number of earlier entries in its series.
        left: int64 [n], number of later ones.
    """

    events: NDArray[np.int64]
    keys: NDArray[np.int32]
    place: NDArray[np.int64]
    left: NDArray[np.int64]

    @classmethod
    def of(cls, sessions: Sessions) -> Series:
        """Series by key and session."""
        known = np.flatnonzero(sessions.keys < sessions.vocabulary)
        order = known[np.lexsort((sessions.units[known], sessions.keys[known]))]
        return cls._of(order, sessions.keys[order], sessions.units[order])

    @classmethod
    def _of(cls, events: NDArray[np.int64], keys: NDArray[np.int32], units: NDArray[np.int32]) -> Series:
        at = np.arange(len(events))
        begins = np.ones(len(events), dtype=bool)
        begins[1:] = (keys[1:] != keys[:-1]) | (units[1:] != units[:-1])
        firsts = np.flatnonzero(begins)
        lengths = np.diff(np.append(firsts, len(events)))
        place = at - np.repeat(firsts, lengths)
        return cls(events, keys, place, np.repeat(lengths, lengths) - place - 1)

    def take(self, chosen: NDArray[np.int64]) -> Series:
        """The entries at `chosen`; whole series, in any order."""
        return Series(self.events[chosen], self.keys[chosen], self.place[chosen], self.left[chosen])

    def sorted_by(self, values: NDArray[np.float64]) -> Series:
        """The same by key, then by what the entries carry, so that no order of sessions tells.

        Args:
            values: float64 [n, columns].
        """
        firsts = np.flatnonzero(self.place == 0)
        lengths = self.left[firsts] + 1
        names = [
            (int(self.keys[begin]), values[begin : begin + length].tobytes())
            for begin, length in zip(firsts.tolist(), lengths.tolist(), strict=True)
        ]
        order = sorted(range(len(names)), key=names.__getitem__)
        begins, sizes = firsts[order], lengths[order]
        inside = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return self.take(np.repeat(begins, sizes) + inside)

    def held_out(self, pairs: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which pairs validate: the last tenth of each series (one at least, one is left); bool [n].

        A key whose series have one pair each holds out every tenth of them.

        Args:
            pairs: bool [n], entries that have a history.
        """
        first = self.place == 0
        number = np.cumsum(first) - 1
        total = np.bincount(number, weights=pairs, minlength=int(first.sum()))[number]
        before = np.cumsum(pairs)  # pairs up to here, of all series
        start = np.maximum.accumulate(np.where(first, before - pairs, 0))
        held: NDArray[np.bool_] = pairs & (total > 1) & (before - start > total - np.ceil(total / HELD_OUT))
        places = np.flatnonzero(pairs)
        places = places[np.argsort(self.keys[places], kind="stable")]
        for own in np.split(places, np.flatnonzero(np.diff(self.keys[places])) + 1):
            if len(own) > 1 and not held[own].any():
                held[own[HELD_OUT - 1 :: HELD_OUT] if len(own) >= HELD_OUT else own[-1:]] = True
        return held
