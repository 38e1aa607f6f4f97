"""Predictors that look at nothing: what any detector must beat, and what prevalence alone gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from logbench import Scores

from .common import Kept

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Context, Sessions


class Constant(Kept):
    """The same score for every unit: +∞ alarms at any finite threshold, −∞ at none."""

    def __init__(self, value: float) -> None:
        self.value = value

    def fit(self, train: Sessions, context: Context) -> None:
        """Nothing to learn."""

    def score(self, sessions: Sessions, context: Context) -> Scores:
        """The constant, float64 [units]; unseen events change nothing."""
        return _blind(np.full(len(sessions), self.value))


class Random(Kept):
    """A uniform score in [0, 1), drawn from the model's seed."""

    def fit(self, train: Sessions, context: Context) -> None:
        """Nothing to learn."""

    def score(self, sessions: Sessions, context: Context) -> Scores:
        """Scores float64 [units], the same for the same seed and number of units."""
        return _blind(np.random.default_rng(context.seed).random(len(sessions)))


def _blind(score: NDArray[np.float64]) -> Scores:
    return Scores(score, ignoring=score)
