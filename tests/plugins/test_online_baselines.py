"""Baselines that go on learning: what they know after a stream is what a plain loop over its units knows."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from logbench import Context, Sessions
from logbench_baselines import MarkovConfig, NGramConfig
from logbench_baselines.online import OnlineMarkov, OnlineNewEvent, OnlineNGram

Unit = list[int]
# Keys known to the parser at first, and after the stream; keys above are unseen.
FIRST, GROWN = 3, 5
UNITS = st.lists(st.lists(st.integers(0, GROWN), min_size=1, max_size=6), min_size=1, max_size=5)
STREAM = st.lists(
    st.tuples(
        st.lists(st.integers(0, GROWN), min_size=1, max_size=6), st.booleans(), st.sampled_from([None, 0, 1])
    ),
    max_size=6,
)
FEW = settings(max_examples=40, deadline=None)


def taught(model: Any, train: Sequence[Unit], stream: Sequence[tuple[Unit, bool, int | None]]) -> list[Unit]:
    """Fit on training, show the stream; the units that count as normal, training units under the first keys."""
    model.fit(Sessions.of([[min(key, FIRST) for key in unit] for unit in train], FIRST), Context())
    for unit, verdict, label in stream:
        model.update(Sessions.of([unit], GROWN), verdict, label)
    kept = [unit for unit, verdict, label in stream if label == 0 or (label is None and not verdict)]
    return [[key if key < FIRST else -1 for key in unit] for unit in train] + [
        [key if key < GROWN else -1 for key in unit] for unit in kept
    ]


def primary(model: Any, asked: Sequence[Unit]) -> list[float]:
    scores: np.ndarray = model.score(Sessions.of(asked, GROWN), Context()).primary
    return scores.tolist()


@FEW
@given(UNITS, STREAM, UNITS)
def test_online_events_are_those_that_were_taught(train: Any, stream: Any, asked: Any) -> None:
    model = OnlineNewEvent()
    known = {key for unit in taught(model, train, stream) for key in unit} - {-1}
    assert primary(model, asked) == [float(any(key not in known for key in unit)) for unit in asked]


def grams(unit: Unit) -> Iterator[tuple[int, int]]:
    padded = [-9, *unit, -8]  # marks at either end
    return pairwise(padded)


@FEW
@given(UNITS, STREAM, UNITS)
def test_online_ngrams_are_those_that_were_taught(train: Any, stream: Any, asked: Any) -> None:
    model = OnlineNGram(NGramConfig(n=2))
    known = {gram for unit in taught(model, train, stream) for gram in grams(unit) if -1 not in gram}
    shares = [np.mean([gram not in known for gram in grams(unit)]) for unit in asked]
    assert np.allclose(primary(model, asked), shares)


@FEW
@given(UNITS, STREAM, UNITS)
def test_online_markov_counts_what_it_was_taught(train: Any, stream: Any, asked: Any) -> None:
    model = OnlineMarkov(MarkovConfig(smoothing=0.5))
    pairs = Counter(pair for unit in taught(model, train, stream) for pair in grams(unit))
    left = Counter[int]()
    for (source, _), times in pairs.items():
        left[source] += times

    def cost(source: int, target: int) -> float:
        return -math.log((pairs[source, target] + 0.5) / (left[source] + 0.5 * (GROWN + 2)))

    want = [max(cost(*pair) for pair in grams([k if k < GROWN else -1 for k in unit])) for unit in asked]
    assert np.allclose(primary(model, asked), want)
