"""N-grams against a set of those of training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from baseline_units import KEYS, Unit, Units, both, brief, scored

from logbench import Context, Sessions
from logbench_baselines import NGramConfig
from logbench_baselines.ngram import NGram


def grams(unit: Unit, n: int) -> list[Unit]:
    padded = (-1, *unit, -1)
    return [padded[i : i + n] for i in range(len(padded) - n + 1)]


@both
@brief
@pytest.mark.parametrize("n", [2, 3, 10])
@pytest.mark.parametrize("measure", ["first", "share"])
def test_ngrams_are_those_no_training_unit_has(n: int, measure: Any, train: Units, test: Units) -> None:
    seen = {gram for unit in train for gram in grams(unit, n)}
    scores = scored(NGram(NGramConfig(n=n, measure=measure)), train, test)
    assert scores.event is not None and scores.ignoring is not None

    def value(missing: int, unit: Unit) -> float:
        if measure == "share":
            return missing / max(len(grams(unit, n)), 1)
        return 1 / (n * (len(unit) + 2 - n / 2)) if missing else 0

    for at, unit in enumerate(test):
        missing = [i for i, gram in enumerate(grams(unit, n)) if gram not in seen]
        mere = [i for i in missing if max(grams(unit, n)[i]) < KEYS]
        assert scores.primary[at] == pytest.approx(value(len(missing), unit))
        assert scores.ignoring[at] == pytest.approx(value(len(mere), unit))
        if missing:
            assert scores.event[at] == min(missing[0] + n - 2, len(unit) - 1)


@pytest.mark.parametrize("vocabulary", [1_623, 1_624, 500_000])  # of the first alone 64 bits hold an n-gram
def test_ngrams_of_many_keys_are_those_no_training_unit_has(
    vocabulary: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logbench_baselines.ngram.BLOCK", 50)
    rng = np.random.default_rng(vocabulary)
    few = np.array([0, 1, vocabulary - 1, vocabulary])  # the last is unseen
    drawn = [[tuple(few[rng.integers(0, most, 12)].tolist()) for _ in range(40)] for most in (3, 4)]
    train, test = drawn
    seen = {gram for unit in train for gram in grams(unit, 6)}
    model = NGram(NGramConfig())
    assert model.fit(Sessions.of(train, vocabulary), Context()) == {"ngrams": len(seen)}
    scores = model.score(Sessions.of(test, vocabulary), Context(events=True))
    asked = [[gram not in seen for gram in grams(unit, 6)] for unit in test]
    mere = [[gram not in seen and vocabulary not in gram for gram in grams(unit, 6)] for unit in test]
    assert scores.primary == pytest.approx([np.mean(each) for each in asked])
    assert scores.ignoring == pytest.approx([np.mean(each) for each in mere])
    assert scores.facts["ngrams"] == len({gram for unit in test for gram in grams(unit, 6)})
    assert scores.events is not None and scores.events[4] == asked[0][0]


def test_marks_of_a_unit_without_events_are_no_mismatch_of_the_unit_before() -> None:
    model = NGram(NGramConfig(n=2))
    model.fit(Sessions.of([[0, 1]] * 2, 2), Context())
    scores = model.score(Sessions.of([[0, 1], [], [0, 1]], 2), Context(events=True))
    assert scores.events is not None and scores.events.tolist() == [0, 0, 0, 0]
    assert (scores.primary > 0).tolist() == [False, True, False]
    nothing = model.score(Sessions.of([[], []], 2), Context(events=True))
    assert nothing.events is not None and not len(nothing.events)
