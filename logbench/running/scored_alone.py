"""A cheap probe: a few units are scored again without the others, which must change nothing.

A score that depends on what else is scored (a batch norm in training mode, a rank among the test set, a window
that runs on into the next unit) is no property of the unit, and no such detector can run on a stream.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..api.contracts import Context
from ..api.record_sections import AloneFacts
from ..base.progress import silent
from ..data.scores import Scores
from ..data.sessions import Sessions

if TYPE_CHECKING:
    from numpy.typing import NDArray

# How many units are scored again together, and how many of them quite alone.
UNITS, SINGLE = 32, 2
# Largest difference of two scores that count as equal, as a share of the larger one.
RELATIVE = 1e-5


@dataclass(frozen=True)
class Alone:
    """Scores of the probed units.

    Attributes:
        units: index of each among those asked, int64 [n]. among: score among all, float64 [n].
        alone: score without the others, float64 [n].
    """

    units: NDArray[np.int64]
    among: NDArray[np.float64]
    alone: NDArray[np.float64]

    def facts(self, threshold: float) -> AloneFacts:
        """`units` probed, and how many `differ` in their score or in the verdict that the threshold gives."""
        apart = ~np.isclose(self.among, self.alone, rtol=RELATIVE, atol=0.0, equal_nan=True)
        other = (self.among > threshold) != (self.alone > threshold)
        return {"units": len(self.units), "differ": int((apart | other).sum())}


def score_alone(
    model: Any, sessions: Sessions, scores: Scores, context: Context, digest: str, in_order: bool
) -> Alone:
    """Score some units again: in another order without the others, and a few quite alone.

    Args:
        sessions: the units that were asked, with their `scores`.
        digest: of the split, which alone decides the units.
        in_order: the model needs units in their order, so that is kept.
    """
    rng = np.random.default_rng(list(hashlib.sha256(f"{digest} alone".encode()).digest()))
    chosen = rng.permutation(len(sessions))[:UNITS]
    if in_order:
        chosen = np.sort(chosen)
    quiet = replace(context, progress=silent)
    asked = [chosen, *(chosen[at : at + 1] for at in range(min(SINGLE, len(chosen))))]
    found = [_primary(model, sessions.take(units), quiet) for units in asked if len(units)]
    units = np.concatenate(asked)
    alone = np.concatenate(found) if found else np.zeros(0)
    return Alone(units, scores.primary[units], alone)


def _primary(model: Any, sessions: Sessions, context: Context) -> NDArray[np.float64]:
    return Scores.of(model.score(sessions, context), len(sessions), "", len(sessions.keys)).primary
