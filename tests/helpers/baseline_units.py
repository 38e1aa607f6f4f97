"""Units that simple models are tried on, and a fit that checks what every one of them promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logbench import Context, Scores, Sessions
from logbench_baselines.markov import Markov
from logbench_baselines.rules import Length

# Known keys 0 … 3; tests draw 4 and 5 beside them, which are unseen.
KEYS = 4
Unit = tuple[int, ...]
Units = Sequence[Unit]
known_units = st.lists(
    st.lists(st.integers(0, KEYS - 1), min_size=1, max_size=9).map(tuple), min_size=1, max_size=8
)
any_units = st.lists(
    st.lists(st.integers(0, KEYS + 1), min_size=1, max_size=12).map(tuple), min_size=1, max_size=8
)
both = given(known_units, any_units)
brief = settings(max_examples=60, deadline=None)


def scored(model: Any, train: Units, test: Units) -> Scores:
    """Fit and score, and check what every model promises: inputs left alone, `ignoring` rid of the unseen."""
    fitted, asked = Sessions.of(train, KEYS), Sessions.of(test, KEYS)
    before = [(s.keys.copy(), s.offsets.copy()) for s in (fitted, asked)]
    model.fit(fitted, Context())
    scores = Scores.of(model.score(asked, Context()), len(test), "model")
    for sessions, (keys, offsets) in zip((fitted, asked), before, strict=True):
        assert np.array_equal(sessions.keys, keys) and np.array_equal(sessions.offsets, offsets)
    assert scores.event is not None and scores.ignoring is not None and scores.ignoring_event is not None
    for at, unit in enumerate(test):
        assert -1 <= scores.event[at] < len(unit)
        assert (scores.event[at] >= 0) == (scores.primary[at] > 0)
        if max(unit) < KEYS:
            assert scores.ignoring[at] == scores.primary[at] and scores.ignoring_event[at] == scores.event[at]
        if min(unit) >= KEYS:
            assert scores.ignoring_event[at] == -1 or isinstance(model, Length)
            assert scores.ignoring[at] == 0 or isinstance(model, Length)
        if scores.ignoring_event[at] >= 0 and not isinstance(model, Length):
            assert unit[scores.ignoring_event[at]] < KEYS or isinstance(model, Markov)
    return scores


def folded(unit: Unit) -> Unit:
    return tuple(min(key, KEYS) for key in unit)


def stripped(unit: Unit) -> Unit:
    return tuple(key for key in unit if key < KEYS)


def timed(units: Sequence[Sequence[tuple[int, int]]]) -> Sessions:
    """Sessions of (key, time since the event before) pairs."""
    times = [int(t) for unit in units for t in np.cumsum([gap for _, gap in unit])]
    return Sessions.of([[key for key, _ in unit] for unit in units], KEYS, times=np.array(times, dtype=np.int64))


shared = settings(brief, suppress_health_check=[HealthCheck.function_scoped_fixture])
