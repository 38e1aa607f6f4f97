"""How likely each key is at each event: by a key model, or by what came itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from logbench import Sessions

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Numbers in the matrix of likelihoods: longer logs are thinned, whole units at a time.
MOST = 20_000_000


@dataclass(frozen=True)
class Expectations:
    """Events of some units, and how likely each key was at each.

    Attributes:
        keys: int64 [events]. units: int64 [events], the unit of each, rising.
        likely: float64 [events, keys], rows sum to 1.
    """

    keys: NDArray[np.int64]
    units: NDArray[np.int64]
    likely: NDArray[np.float64]

    @classmethod
    def counted(cls, sessions: Sessions) -> Expectations:
        """What came itself: the key of an event has 1. Unknown keys are left out."""
        some = thinned(sessions)
        known = some.keys < some.vocabulary
        keys = some.keys[known].astype(np.int64)
        return cls(keys, some.units[known].astype(np.int64), np.eye(some.vocabulary)[keys])

    @classmethod
    def foretold(cls, sessions: Sessions, model: Any) -> Expectations:
        """What a fitted `NextKeyModel` expects; where it lacks a history, what came."""
        some = thinned(sessions)
        known = cls.counted(some)
        histories = model.bounded(some).histories(model.config.h, model.config.pad)
        likely = np.full((len(some.keys), some.vocabulary), np.nan)
        likely[histories.events] = _probabilities(model, histories.distinct_windows)[histories.distinct.inverse]
        likely = likely[some.keys < some.vocabulary]
        known.likely[~np.isnan(likely[:, 0])] = likely[~np.isnan(likely[:, 0])]
        return known


def thinned(sessions: Sessions) -> Sessions:
    """Evenly many of the units, where all have too many events."""
    step = -(-len(sessions.keys) * max(sessions.vocabulary, 1) // MOST)
    return sessions if step <= 1 else sessions.take(np.arange(0, len(sessions), step))


@torch.inference_mode()
def _probabilities(model: Any, windows: NDArray[np.int32], chunk: int = 4096) -> NDArray[np.float64]:
    """Of each known key, float64 [windows, known keys]; keys that are one to the network share its part alike."""
    parts = [np.empty((0, model.keys))]
    for begin in range(0, len(windows), chunk):
        rows = torch.from_numpy(windows[begin : begin + chunk, :-1].astype(np.int64))
        parts.append(model.network.cpu()(rows).double().softmax(1).numpy())
    found = np.concatenate(parts)
    return found if model.places is None else (found / np.bincount(model.places))[:, model.places]
