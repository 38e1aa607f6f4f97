"""What is known before each slice of a stream: units that train, and keys."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...pipeline.growing_keys import GrowingKeys
from ...pipeline.shares import barred
from ...pipeline.slices import slices_of
from ...pipeline.stream_audit import TestThenTrain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...api.record_stream import Learning
    from ..prepared import Prepared
    from ..resolve import ResolvedPlan


class StreamState:
    """The data as they are known before each slice.

    Attributes:
        slices: int64 units of each, in order of time.
        audit: the ledger of what was tested and learned.
    """

    def __init__(self, resolved: ResolvedPlan, prepared: Prepared, learning: Learning) -> None:
        protocol = resolved.protocol
        self._prepared, self._protocol, self._learning = prepared, protocol, learning
        self.slices = slices_of(prepared.grouped.units, prepared.split.test, protocol)
        self.audit = TestThenTrain(prepared.grouped, prepared.split, protocol.feedback_delay)
        self._keys = GrowingKeys(prepared.grouped, prepared.vocabulary, resolved.parser.build)
        self._sessions = prepared.sessions
        self._train, self._held_out = prepared.split.train, prepared.split.held_out

    def before(self, number: int) -> Prepared:
        """The data as they are known before a slice, counted from 0; its units are the test."""
        split = replace(self._prepared.split, train=self._train, held_out=self._held_out, test=self.slices[number])
        return replace(self._prepared, split=split, sessions=self._sessions, parts={}, with_vectors={})

    @property
    def grown(self) -> Prepared:
        """The data with all keys known so far, for units to learn from."""
        return replace(self._prepared, sessions=self._sessions, parts={}, with_vectors={})

    def learn(self, number: int) -> None:
        """Learn from a slice that was tested: the parser its templates, and a model to be refitted its units."""
        if self._learning == "kept":
            return
        units = self.slices[number]
        self.audit.parse(self._keys.learn(units))
        self._sessions = self._keys.sessions(self._prepared.sessions, number + 1)
        if self._learning == "refitted":
            self._train_on(units, number)

    def _train_on(self, units: NDArray[np.int64], number: int) -> None:
        """Add what may train by `protocol.content`, a share of it held out."""
        units = np.sort(units[~barred(self._prepared.labels[units], self._protocol)])
        self.audit.learn(units)
        rng = np.random.default_rng([self._protocol.split_seed, number])
        held = np.zeros(len(units), dtype=bool)
        held[rng.permutation(len(units))[: round(self._protocol.held_out * len(units))]] = True
        self._train = np.sort(np.concatenate([self._train, units[~held]]))
        self._held_out = np.sort(np.concatenate([self._held_out, units[held]]))
