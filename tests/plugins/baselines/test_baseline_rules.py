"""The rules of new events and lengths, and models that look at nothing."""

from __future__ import annotations

import math

import numpy as np
from baseline_units import KEYS, Units, both, brief, scored

from logbench import Context, Sessions
from logbench_baselines.rules import Length, NewEvent
from logbench_baselines.trivial import Constant, Random


@both
@brief
def test_rules_are_unseen_events_and_lengths_outside(train: Units, test: Units) -> None:
    shortest, longest = min(map(len, train)), max(map(len, train))
    seen = {key for unit in train for key in unit}
    new = [not seen.issuperset(unit) for unit in test]
    length = [not shortest <= len(unit) <= longest for unit in test]
    events, lengths = scored(NewEvent(), train, test), scored(Length(), train, test)
    assert events.primary.tolist() == new and lengths.primary.tolist() == length
    for unit, event in zip(test, events.event if events.event is not None else (), strict=True):
        assert event == next((i for i, key in enumerate(unit) if key not in seen), -1)


def test_events_of_labelled_anomalies_alone_are_new() -> None:
    """Normal units train, but the vocabulary is of all labelled units."""
    model = NewEvent()
    model.fit(Sessions.of([(0, 1)], KEYS), Context())
    assert model.score(Sessions.of([(0, 1), (0, 3)], KEYS), Context()).primary.tolist() == [0, 1]


def test_blind_predictors() -> None:
    sessions = Sessions.of([(0,), (5,), (1, 2)], KEYS)
    assert (Constant(math.inf).score(sessions, Context()).primary > 1e300).all()
    assert (Constant(-math.inf).score(sessions, Context()).primary < -1e300).all()
    one, again, other = (Random().score(sessions, Context(seed=seed)).primary for seed in (1, 1, 2))
    assert np.array_equal(one, again) and not np.array_equal(one, other) and ((one >= 0) & (one < 1)).all()
