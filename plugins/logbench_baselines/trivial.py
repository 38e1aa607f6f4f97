"""Models that ignore their input: the least that any model must beat, and the figures of prevalence alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from logbench import Scores

from .common import NpzState

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Context, Sessions


class Constant(NpzState):
    """The same score for every unit: +∞ alarms at any finite threshold, −∞ at none."""

    def __init__(self, value: float) -> None:
        self.value = value

    def fit(self, train: Sessions, context: Context) -> None:
        """Nothing to learn."""

    def score(self, sessions: Sessions, context: Context) -> Scores:
        """The constant, float64 [units], also for `ignoring`."""
        return _blind(np.full(len(sessions), self.value))


class Random(NpzState):
    """A uniform score in [0, 1), drawn from the model's seed and the unit's id."""

    def fit(self, train: Sessions, context: Context) -> None:
        """Nothing to learn."""

    def score(self, sessions: Sessions, context: Context) -> Scores:
        """Scores, float64 [units]; the score of a unit does not depend on other units."""
        drawn = sessions.ids.hash(context.seed).to_numpy() >> np.uint64(11)  # the 53 bits that a float holds
        return _blind(drawn.astype(np.float64) * 2.0**-53)


def _blind(score: NDArray[np.float64]) -> Scores:
    return Scores(score, ignoring=score)
