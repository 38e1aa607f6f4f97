"""The model `rare-pair`: how surprising the rarest pair of adjacent events of a unit is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import logbench

if TYPE_CHECKING:
    from numpy.typing import NDArray

FILE = "state.npz"


@dataclass(frozen=True)
class Options:
    """What `--set rare-pair.smoothing=0.5` sets."""

    smoothing: float = logbench.option(1.0, "count that every pair has before training", gt=0)


class RarePair:
    """Surprise in nats. Loops over no units: pairs of all units are numbered and counted at once."""

    def __init__(self, options: Options) -> None:
        self.smoothing = options.smoothing

    def fit(self, train: logbench.Sessions, context: logbench.Context) -> dict[str, Any]:
        import numpy as np

        self.keys = train.vocabulary + 1  # one more: every key that training does not know
        pairs, _ = self._pairs(train)
        counts = np.bincount(pairs, minlength=self.keys**2) + self.smoothing
        self.surprise = -np.log(counts / counts.sum())
        return {"pairs": len(pairs)}  # stands in the record under `training`

    def score(self, sessions: logbench.Sessions, context: logbench.Context) -> logbench.Scores:
        import numpy as np

        scores = np.zeros(len(sessions))
        event = np.full(len(sessions), -1)
        pairs, positions = self._pairs(sessions)
        surprise = self.surprise[pairs]
        unit = np.searchsorted(sessions.offsets, positions, side="right") - 1
        # by unit, most surprising first, earliest first among equals
        order = np.lexsort((positions, -surprise, unit))
        found, first = np.unique(unit[order], return_index=True)
        scores[found] = surprise[order][first]
        event[found] = positions[order][first] - sessions.offsets[found]
        return logbench.Scores(scores, event=event)

    def _pairs(self, sessions: logbench.Sessions) -> tuple[NDArray[Any], NDArray[Any]]:
        """Number of each pair within a unit, and the position of its second event among all events."""
        import numpy as np

        keys = sessions.clipped_keys.astype(np.int64)
        begins = np.zeros(len(keys) + 1, bool)
        begins[sessions.offsets] = True
        positions = np.flatnonzero(~begins[:-1])
        return keys[positions - 1] * self.keys + keys[positions], positions

    def save(self, folder: Path) -> None:
        """Write `state.npz`: arrays, no pickle."""
        logbench.save_arrays(folder / FILE, keys=self.keys, surprise=self.surprise)

    def load(self, folder: Path) -> None:
        """Become the model that was saved in `folder`."""
        state = logbench.load_arrays(folder / FILE, keys="int64", surprise="float64 [pairs]")
        self.keys, self.surprise = state["keys"], state["surprise"]


@logbench.hookimpl
def logbench_models() -> Iterator[logbench.ModelComponent[RarePair]]:
    """Offer the model; no seed changes its scores."""
    yield logbench.ModelComponent(
        "rare-pair",
        RarePair,
        Options,
        summary="surprise of the rarest pair of adjacent events",
        traits=logbench.ModelTraits(stochastic=False, min_events=2),  # one event has no pair
    )
