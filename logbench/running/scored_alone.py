"""Probe whether scores are independent: score a few units again without the others.

A score that depends on other units (batch norm in training mode, a rank in the test set, a window that continues
into the next unit) is no property of the unit, and such a model cannot run on a stream.
"""

from __future__ import annotations

import hashlib
from collections.abc import Set
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..api.contracts import Context
from ..api.record_split import AloneFacts
from ..base.progress import silent
from ..data.scores import Scores
from ..data.sessions import Sessions

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Number of units to score again together, and of units to score one by one.
UNITS, SINGLE = 32, 2
# Largest relative difference of two scores that count as equal.
RELATIVE = 1e-5


@dataclass(frozen=True)
class Alone:
    """Scores of the probed units.

    Attributes:
        units: int64 [n], indices among the scored units.
        among: float64 [n], scores among all units.
        alone: float64 [n], scores without the others.
    """

    units: NDArray[np.int64]
    among: NDArray[np.float64]
    alone: NDArray[np.float64]

    def facts(self, threshold: float) -> AloneFacts:
        """Number of probed `units`, and of those that `differ` in their score or their verdict."""
        apart = ~np.isclose(self.among, self.alone, rtol=RELATIVE, atol=0.0, equal_nan=True)
        other = (self.among > threshold) != (self.alone > threshold)
        return {"units": len(self.units), "differ": int((apart | other).sum())}


def score_alone(
    model: Any, sessions: Sessions, scores: Scores, context: Context, digest: str, needs: Set[str]
) -> Alone:
    """Score some units again, in another order without the others, and a few one by one.

    Args:
        sessions: the scored units, with their `scores`.
        digest: digest of the split, which alone decides the choice of units.
        needs: what the model needs; with times, units keep their order.
    """
    rng = np.random.default_rng(list(hashlib.sha256(f"{digest} alone".encode()).digest()))
    chosen = rng.permutation(len(sessions))[:UNITS]
    if "times" in needs:
        chosen = np.sort(chosen)
    quiet = replace(context, progress=silent)
    asked = [chosen, *(chosen[at : at + 1] for at in range(min(SINGLE, len(chosen))))]
    again = [_primary(model, sessions.take(units), quiet) for units in asked if len(units)]
    units = np.concatenate(asked)
    alone = np.concatenate(again) if again else np.zeros(0)
    return Alone(units, scores.primary[units], alone)


def _primary(model: Any, sessions: Sessions, context: Context) -> NDArray[np.float64]:
    return Scores.of(model.score(sessions, context), len(sessions), "", len(sessions.keys)).primary
