"""Rules without a threshold: events or lengths unseen in training alarm (Landauer et al., FSE 2024, section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from logbench import Scores

from .common import NpzState, check_keys, first_true

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Context, Sessions


class NewEvent(NpzState):
    """Score: 1 if a unit has an event that no training unit has, else 0; decided by the first such event.

    The harness's vocabulary may be larger: labelled anomalies may train other models, but never this one.
    """

    kept: Mapping[str, str] = {"known": "bool [keys]"}

    def fit(self, train: Sessions, context: Context) -> None:
        """Remember the events of the training units, bool [vocabulary + 1]; the last stands for unseen events."""
        self.known = np.bincount(train.clipped_keys, minlength=train.vocabulary + 1) > 0
        self.known[-1] = False

    def score(self, sessions: Sessions, context: Context) -> Scores:
        """See `Model.score`."""
        check_keys(sessions.vocabulary, len(self.known) - 1, "new-event")
        return scores_of_new(~self.known[sessions.clipped_keys], sessions, context)


class Length(NpzState):
    """Score: 1 if a unit has fewer or more events than any training unit, else 0; decided by the last event."""

    kept: Mapping[str, str] = {"shortest": "int64", "longest": "int64"}

    def fit(self, train: Sessions, context: Context) -> None:
        """Remember the lengths of the shortest and longest training unit."""
        self.shortest, self.longest = int(train.lengths.min()), int(train.lengths.max())

    def score(self, sessions: Sessions, context: Context) -> Scores:
        """See `Model.score`."""
        outside = (sessions.lengths < self.shortest) | (sessions.lengths > self.longest)
        score, last = outside.astype(np.float64), np.where(outside, sessions.lengths - 1, -1)
        return Scores(primary=score, event=last, ignoring=score, ignoring_event=last)


def first_hits(hits: NDArray[np.bool_], sessions: Sessions) -> NDArray[np.int64]:
    """Index of the first hit in each unit, int64 [units]; −1 without a hit."""
    at = first_true(hits, sessions.units, len(sessions))
    return np.where(at < 0, -1, at - sessions.offsets[:-1])


def scores_of_new(new: NDArray[np.bool_], sessions: Sessions, context: Context) -> Scores:
    """1 for a unit with a new event, else 0; decided by the first one.

    Args:
        new: bool [events].
    """
    event, ignoring = (first_hits(hits, sessions) for hits in (new, new & (sessions.keys < sessions.vocabulary)))
    return Scores(
        primary=(event >= 0).astype(np.float64),
        event=event,
        ignoring=(ignoring >= 0).astype(np.float64),
        ignoring_event=ignoring,
        events=new.astype(np.float64) if context.events else None,
    )
