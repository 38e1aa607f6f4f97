"""The Markov chain against counts of transitions."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from baseline_units import KEYS, Unit, Units, any_units, folded, known_units, scored, shared
from hypothesis import given
from hypothesis import strategies as st

from logbench_baselines import MarkovConfig
from logbench_baselines.markov import Markov


@given(known_units, any_units, st.sampled_from([0.01, 1.0, 3.0]))
@shared
@pytest.mark.usefixtures("block")
def test_markov_is_the_least_likely_transition(train: Units, test: Units, smoothing: float) -> None:
    def steps(unit: Unit) -> list[tuple[Any, Any]]:
        path = ["begin", *folded(unit), "end"]
        return list(pairwise(path))

    met = Counter(step for unit in train for step in steps(unit))
    left = Counter(a for unit in train for a, _ in steps(unit))

    def cost(step: tuple[Any, Any]) -> float:
        return -math.log((met[step] + smoothing) / (left[step[0]] + smoothing * (KEYS + 2)))

    scores = scored(Markov(MarkovConfig(smoothing=smoothing)), train, test)
    assert scores.primary == pytest.approx([max(map(cost, steps(unit))) for unit in test])
    mere = [max([cost(step) for step in steps(unit) if KEYS not in step], default=0) for unit in test]
    assert scores.ignoring == pytest.approx(mere)
    assert scores.event is not None
    for unit, event, score in zip(test, scores.event, scores.primary, strict=True):
        led_there = steps(unit)[event : event + 1] + (steps(unit)[-1:] if event == len(unit) - 1 else [])
        assert any(cost(step) == pytest.approx(score) for step in led_there)
