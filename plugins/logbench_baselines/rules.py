"""Rules without a threshold: what training never showed is anomalous (Landauer et al., FSE 2024, section 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from logbench import Scores

from .common import Kept, first_true

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from logbench import Context, Sessions


class NewEvent:
    """Score: 1 where a unit has an event unseen in training, else 0; decided by the first one."""

    def fit(self, train: Sessions, context: Context) -> None:
        """Nothing to learn: the vocabulary is the harness's."""

    def score(self, sessions: Sessions, context: Context) -> Scores:
        """See `Model.score`."""
        none = np.full(len(sessions), -1, dtype=np.int64)
        return Scores(
            primary=(sessions.unseen > 0).astype(np.float64),
            event=_first_unseen(sessions),
            ignoring=np.zeros(len(sessions)),
            ignoring_event=none,
            events=(sessions.keys >= sessions.vocabulary).astype(np.float64) if context.events else None,
        )

    def save(self, folder: Path) -> None:
        """There is nothing to save."""

    def load(self, folder: Path) -> None:
        """There is nothing to load."""


class Length(Kept):
    """Score: 1 where a unit has fewer or more events than any training unit, else 0; decided by the last one."""

    kept = ("shortest", "longest")

    def fit(self, train: Sessions, context: Context) -> None:
        """Remember the shortest and longest training unit."""
        self.shortest, self.longest = int(train.lengths.min()), int(train.lengths.max())

    def score(self, sessions: Sessions, context: Context) -> Scores:
        """See `Model.score`."""
        outside = (sessions.lengths < self.shortest) | (sessions.lengths > self.longest)
        score, last = outside.astype(np.float64), np.where(outside, sessions.lengths - 1, -1)
        return Scores(primary=score, event=last, ignoring=score, ignoring_event=last)


def _first_unseen(sessions: Sessions) -> NDArray[np.int64]:
    """Index of the first event out of vocabulary in each unit, int64 [units]; −1 where there is none."""
    at = first_true(sessions.keys >= sessions.vocabulary, sessions.units, len(sessions))
    return np.where(at < 0, -1, at - sessions.offsets[:-1])
