"""Levels: scores of models in different units brought to one scale by held-out units, without labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..evaluation.thresholds import validation_threshold
from .combination import THRESHOLD

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Level:
    """Brings a member's scores to one scale: above 1 where they are above its threshold, and rising with them.

    Attributes:
        threshold: the smallest held-out score with at most its part of alpha of the held-out weight above it.
        values, shares: float64 [distinct finite held-out scores up to the threshold], ascending, and the share of
            held-out weight at or below each, as part of that at or below the threshold.
        scale: what counts as 1 above the threshold: the range of those held-out scores, so that members in other
            units can be set side by side; 1 where they are all equal. It orders alarms and makes none.
    """

    threshold: float
    values: tuple[float, ...]
    shares: tuple[float, ...]
    scale: float

    @classmethod
    def of(cls, scores: NDArray[np.float64], weights: NDArray[np.float64], alpha: float) -> Level:
        """Learn from held-out scores, float64 [units ≥ 1]."""
        threshold = validation_threshold(scores, weights, alpha)
        below = scores <= threshold
        values, inverse = np.unique(scores[below], return_inverse=True)
        shares = np.bincount(inverse, weights=weights[below]).cumsum()
        finite = np.isfinite(values)
        values, shares = values[finite], shares[finite] / shares[-1]
        scale = float(values[-1] - values[0]) if len(values) > 1 else 1.0
        return cls(threshold, tuple(values.tolist()), tuple(shares.tolist()), scale)

    def __call__(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Levels of scores, float64 [units], from 0 to 1 where they do not alarm."""
        above = scores > self.threshold
        with np.errstate(invalid="ignore", over="ignore"):  # infinite less infinite, where nothing is above
            quiet = np.where(np.isposinf(scores), THRESHOLD, self._quiet(scores))
            loud = THRESHOLD + (scores - self.threshold) / self.scale
        return np.where(above, np.maximum(loud, np.nextafter(THRESHOLD, 2)), np.minimum(quiet, THRESHOLD))

    def _quiet(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """The share of held-out weight at or below; below all of it falling on to 0, so that the order stays."""
        if not self.values:
            return np.zeros(len(scores))
        below = np.maximum(self.values[0] - scores, 0.0) / self.scale
        return np.interp(scores, self.values, self.shares) / (1 + below)


def bounded(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same from 0 to 2: as they are up to 1, in order above it, so that none outweighs all others."""
    more = np.maximum(levels - THRESHOLD, 0.0)
    with np.errstate(invalid="ignore"):
        above = np.where(np.isposinf(more), 1.0, more / (1.0 + more))
    return np.asarray(np.where(levels > THRESHOLD, THRESHOLD + above, levels))


def votes(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Above 1 where more than half of the members alarm, and rising with their number, then with their mean level.

    Args:
        levels: float64 [members, units], above 1 where a member alarms.

    Examples:
        >>> votes(np.array([[2.0, 2.0, 0.1], [0.5, 3.0, 0.1], [0.5, 0.5, 0.1]])).round(2).tolist()
        [0.83, 1.33, 0.05]
    """
    members, needed = len(levels), len(levels) // 2 + 1
    given = (levels > THRESHOLD).sum(axis=0)
    among_equals = np.clip(levels, 0.0, THRESHOLD).sum(axis=0) / (2 * members)  # below 1, so it never adds a vote
    joined = (given + among_equals) / needed
    alarms = given >= needed
    loud, quiet = np.maximum(joined, np.nextafter(THRESHOLD, 2)), np.minimum(joined, THRESHOLD)
    return np.asarray(np.where(alarms, loud, quiet))
