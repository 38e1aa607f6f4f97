"""Rules without a threshold: what training never showed is anomalous."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from logbench import Scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Context, Sessions


class NewEventOrLength:
    """New event + length (Landauer et al., FSE 2024, section 3): either alarms.

    Score: 1 where an event is unseen in training or the length lies outside its minimum and maximum, else 0.
    """

    def fit(self, train: Sessions, context: Context) -> None:
        """Remember the shortest and longest training session; the vocabulary is known already."""
        self.shortest, self.longest = int(train.lengths.min()), int(train.lengths.max())

    def score(self, sessions: Sessions, context: Context) -> Scores:
        """See `Model.score`; the deciding event is the first unseen one, else the last."""
        length = (sessions.lengths < self.shortest) | (sessions.lengths > self.longest)
        new = sessions.unseen > 0
        last = np.where(length, sessions.lengths - 1, -1)
        return Scores(
            primary=(length | new).astype(np.float64),
            event=np.where(new, _first_unseen(sessions), last),
            ignoring=length.astype(np.float64),
            ignoring_event=last,
        )


def _first_unseen(sessions: Sessions) -> NDArray[np.int64]:
    """Index of the first event out of vocabulary in each unit, int64 [units]; −1 where there is none."""
    first = np.full(len(sessions), -1, dtype=np.int64)
    at = np.flatnonzero(sessions.keys >= sessions.vocabulary)[::-1]
    first[sessions.units[at]] = at - sessions.offsets[sessions.units[at]]
    return first
