"""A detector of `river` as a model: a unit is the shares of its keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Context, Sessions

    from . import Learn


class RiverDetector:
    """Learns from one unit after another, in training and, by `update`, in a stream.

    A unit is a dict of features: for each key of training the share of its events that have it, and under `new`
    the share of those that training does not have, which detectors with fixed features could not take one by one.

    Args:
        build: seed, number of training units → a detector with `learn_one` and `score_one`.
        learn: see `update`.
    """

    def __init__(self, build: Callable[[int, int], Any], learn: Learn) -> None:
        self._build, self._learn = build, learn
        self._keys = 0

    def fit(self, train: Sessions, context: Context) -> None:
        """Learn the training units in an order that the seed draws."""
        self._detector, self._keys = self._build(context.seed, len(train)), train.vocabulary
        order = np.random.default_rng(context.seed).permutation(len(train))
        for features in self._features(train.take(order)):
            self._detector.learn_one(features)

    def score(self, sessions: Sessions, context: Context) -> NDArray[np.float64]:
        """Scores of the units as the detector is now, float64 [units]."""
        return np.array([self._detector.score_one(one) for one in self._features(sessions)], dtype=np.float64)

    def update(self, unit: Sessions, verdict: bool, label: int | None) -> None:
        """Learn from any unit, or with `learn = "quiet"` from one that did not alarm. It knows no label."""
        if self._learn == "all" or not verdict:
            for features in self._features(unit):
                self._detector.learn_one(features)

    def _features(self, sessions: Sessions) -> Iterator[dict[str, float]]:
        names = [*(f"key {key}" for key in range(self._keys)), "new"]
        keys = np.minimum(sessions.keys, self._keys)
        for begin, end in zip(sessions.offsets[:-1], sessions.offsets[1:], strict=True):
            shares = np.bincount(keys[begin:end], minlength=self._keys + 1) / max(int(end - begin), 1)
            yield dict(zip(names, shares.tolist(), strict=True))
