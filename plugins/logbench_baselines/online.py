"""Baselines that go on learning while a stream is scored: from units that raise no alarm, and from false alarms.

A unit known to be normal teaches, one known to be anomalous never does; one without a label teaches where it did
not alarm. Keys that came to be known after the training are new until a unit that teaches has them.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from logbench import Scores

from .common import NpzState
from .markov import Markov, transitions
from .ngram import NGram, among, padded
from .rules import scores_of_new

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from logbench import Context, Sessions

    from . import MarkovConfig

# States of `OnlineMarkov` that are no key.
OUTER, STRANGE = -1, -2


def teaches(verdict: bool, label: int | None) -> bool:
    """Whether a unit counts as normal."""
    return not verdict if label is None else label == 0


class OnlineNewEvent(NpzState):
    """`new-event` whose known events grow. Score: 1 if a unit has an event that no unit taught, else 0."""

    kept: Mapping[str, str] = {"known": "bool [keys]"}

    def fit(self, train: Sessions, context: Context) -> None:
        """Remember the events of the training units, bool [vocabulary]."""
        self.known = np.bincount(train.keys[train.keys < train.vocabulary], minlength=train.vocabulary) > 0

    def score(self, sessions: Sessions, context: Context) -> Scores:
        """See `Model.score`."""
        known = np.zeros(sessions.vocabulary + 1, dtype=bool)
        size = min(len(self.known), sessions.vocabulary)
        known[:size] = self.known[:size]
        return scores_of_new(~known[sessions.clipped_keys], sessions, context)

    def update(self, unit: Sessions, verdict: bool, label: int | None) -> None:
        """See `Updates.update`."""
        if teaches(verdict, label):
            self.known = np.append(self.known, np.zeros(max(unit.vocabulary - len(self.known), 0), dtype=bool))
            self.known[unit.keys[unit.keys < unit.vocabulary]] = True


class OnlineNGram(NGram):
    """`n-gram` whose known n-grams grow."""

    def fit(self, train: Sessions, context: Context) -> Mapping[str, Any]:
        """Keep the distinct n-grams of known events: what is unseen now may be known later."""
        super().fit(train, context)
        self.grams = self.grams[self.grams.max(axis=1, initial=0) <= train.vocabulary]
        return {"ngrams": len(self.grams)}

    def update(self, unit: Sessions, verdict: bool, label: int | None) -> None:
        """See `Updates.update`."""
        if teaches(verdict, label):
            grams = padded(unit).histories(self.config.n - 1).distinct_windows
            grams = grams[grams.max(axis=1, initial=0) <= unit.vocabulary]
            self.grams = np.concatenate([self.grams, grams[~among(grams, self.grams)]])


class OnlineMarkov(Markov):
    """`markov` whose counts of transitions grow."""

    kept: Mapping[str, str] = {
        "pairs": "int64 [transitions, 2]",
        "times": "int64 [transitions]",
        "smoothing": "float64",
    }

    def __init__(self, config: MarkovConfig) -> None:
        super().__init__(config)
        self._more: Counter[tuple[int, int]] = Counter()
        self._costs_of: int | None = None

    def fit(self, train: Sessions, context: Context) -> Mapping[str, Any]:
        """Count transitions."""
        self.pairs, self.times = _counted(_pairs(train), np.ones(len(train.keys) + len(train), dtype=np.int64))
        self._more, self._costs_of = Counter(), None
        return {"transitions": len(self.pairs)}

    def score(self, sessions: Sessions, context: Context) -> Scores:
        """See `Markov.score`."""
        self._merge()
        if self._costs_of != sessions.vocabulary:
            self._spread_costs(sessions.vocabulary)
        return super().score(sessions, context)

    def update(self, unit: Sessions, verdict: bool, label: int | None) -> None:
        """See `Updates.update`."""
        if teaches(verdict, label):
            self._more.update(map(tuple, _pairs(unit).tolist()))

    def save(self, folder: Any) -> None:
        """See `NpzState.save`."""
        self._merge()
        super().save(folder)

    def load(self, folder: Any) -> None:
        """See `NpzState.load`."""
        super().load(folder)
        self._more, self._costs_of = Counter(), None

    def fault(self) -> str:
        """Transitions lead from one state to another."""
        return "" if self.pairs.shape == (len(self.times), 2) else "its transitions are no pairs"

    def _merge(self) -> None:
        """Count what was learned since the last scores."""
        if self._more:
            pairs, times = np.array(list(self._more)), np.array(list(self._more.values()))
            joined = np.concatenate([self.pairs, pairs]), np.concatenate([self.times, times])
            self.pairs, self.times = _counted(*joined)
            self._more, self._costs_of = Counter(), None

    def _spread_costs(self, vocabulary: int) -> None:
        """Costs of transitions under so many keys, as `Markov.score` reads them."""
        states, special = vocabulary + 2, {OUTER: vocabulary + 1, STRANGE: vocabulary}
        pairs = self.pairs.copy()
        pairs[pairs >= vocabulary] = vocabulary  # a key that these units do not know
        for place, state in special.items():
            pairs[self.pairs == place] = state
        pairs, times = _counted(pairs, self.times)
        left = np.bincount(pairs[:, 0], weights=times, minlength=states)
        total = np.log(left + self.smoothing * states)
        self.codes = pairs[:, 0] * states + pairs[:, 1]
        self.costs = total[pairs[:, 0]] - np.log(times + self.smoothing)
        self.unmet = total - np.log(self.smoothing)
        self._costs_of = vocabulary


def _pairs(sessions: Sessions) -> NDArray[np.int64]:
    """Every transition of units as two states, int64 [events + units, 2], the same under any number of keys."""
    code, _, _ = transitions(sessions)
    states = sessions.vocabulary + 2
    pairs = np.stack([code // states, code % states], axis=1)
    return np.where(pairs == states - 1, OUTER, np.where(pairs == states - 2, STRANGE, pairs))


def _counted(pairs: NDArray[np.int64], times: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct pairs in ascending order, and how often each comes."""
    distinct, inverse = np.unique(pairs, axis=0, return_inverse=True)
    counted = np.bincount(inverse.ravel(), weights=times, minlength=len(distinct))
    return distinct, counted.astype(np.int64)
