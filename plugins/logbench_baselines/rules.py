"""Rules without a threshold: what training never showed is anomalous (Landauer et al., FSE 2024, section 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from logbench import Scores

from .common import Kept, first_true

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Context, Sessions


class Rule(Kept):
    """New event, length, or both. Score: 1 where one of them alarms, else 0.

    `new`: an event unseen in training. `length`: fewer or more events than any training unit had.
    """

    kept = ("shortest", "longest")

    def __init__(self, new: bool, length: bool) -> None:
        self.new, self.length = new, length

    def fit(self, train: Sessions, context: Context) -> None:
        """Remember the shortest and longest training unit; the vocabulary is known already."""
        self.shortest, self.longest = int(train.lengths.min()), int(train.lengths.max())

    def score(self, sessions: Sessions, context: Context) -> Scores:
        """See `Model.score`; the deciding event is the first unseen one, else the last."""
        outside = (sessions.lengths < self.shortest) | (sessions.lengths > self.longest)
        length = outside if self.length else np.zeros_like(outside)
        new = sessions.unseen > 0 if self.new else np.zeros_like(outside)
        last = np.where(length, sessions.lengths - 1, -1)
        return Scores(
            primary=(length | new).astype(np.float64),
            event=np.where(new, _first_unseen(sessions), last),
            ignoring=length.astype(np.float64),
            ignoring_event=last,
        )


def _first_unseen(sessions: Sessions) -> NDArray[np.int64]:
    """Index of the first event out of vocabulary in each unit, int64 [units]; −1 where there is none."""
    at = first_true(sessions.keys >= sessions.vocabulary, sessions.units, len(sessions))
    return np.where(at < 0, -1, at - sessions.offsets[:-1])
