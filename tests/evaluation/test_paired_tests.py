"""Tests of two runs' verdicts: swaps against all assignments and simulation, McNemar's against its formula."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import populations
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_intervals import frame

from logbench import DataError
from logbench.evaluation.cells import METRICS
from logbench.evaluation.paired_tests import alike, mcnemar, of_pairs, swapped


def every_swap(clusters: Any, metric: str) -> float:
    """Exact p over all 2^n assignments."""
    score = METRICS[metric]
    seen = abs(score(clusters[:, 4:].sum(axis=0)) - score(clusters[:, :4].sum(axis=0)))
    found = []
    for swap in itertools.product((False, True), repeat=len(clusters)):
        turned = np.where(np.array(swap)[:, None], np.roll(clusters, 4, axis=1), clusters).sum(axis=0)
        found.append(abs(score(turned[4:]) - score(turned[:4])) >= seen - 1e-12)
    return float(np.mean(found))


@pytest.mark.parametrize("metric", METRICS)
def test_random_swaps_approach_all_of_them(metric: str) -> None:
    rng = np.random.default_rng(2)
    kinds = np.eye(4)
    for _ in range(3):
        anomaly, times = rng.random(10) < 0.5, rng.integers(1, 9, 10)[:, None]
        first, other = (
            kinds[np.where(anomaly, np.where(right, 0, 3), np.where(right, 2, 1))] * times
            for right in rng.random((2, 10)) < 0.6
        )
        clusters = np.hstack([first, other])
        assert of_pairs(clusters, metric, 4000, 0) == pytest.approx(every_swap(clusters, metric), abs=0.04)


@pytest.mark.parametrize("metric", METRICS)
def test_equal_runs_are_told_apart_as_rarely_as_claimed_however_skewed(metric: str) -> None:
    normal, anomalous = populations.skewed(3000, 5)
    first, other = (
        populations.cells_of(normal, anomalous, populations.random_verdicts(anomalous, 0.8, 0.05, seed))
        for seed in (1, 2)
    )
    population = populations.exchangeable(first, other)
    found = [of_pairs(sample, metric, 200, at) for at, sample in enumerate(samples(population, 500, 300))]
    assert np.mean(np.array(found) <= 0.05) <= 0.08  # .05 and three standard deviations of 300


def samples(population: Any, size: int, repetitions: int) -> Any:
    return populations.samples(population, size, repetitions, 11)


def test_a_better_run_is_found_and_a_run_does_not_differ_from_itself() -> None:
    labels = np.arange(400) % 4 == 0
    good = frame(labels, labels)
    worse = frame(labels, labels & (np.arange(400) % 8 == 0))
    assert swapped(good, worse, "recall", swaps=999, seed=0) == pytest.approx(0.001)
    assert swapped(good, good, "f1", swaps=99, seed=0) == 1 and alike(good, good) and not alike(good, worse)
    assert swapped(good, worse, "f1", swaps=99, seed=1) == swapped(good, worse, "f1", swaps=99, seed=1)


def test_copies_of_one_sequence_are_one_coin() -> None:
    """A thousand units that only one run judges right, of three sequences: two of eight assignments are as far."""
    labels = np.ones(1000, dtype=bool)
    sequence = np.arange(1000) % 3
    good, bad = frame(labels, labels, sequence), frame(labels, ~labels, sequence)
    assert swapped(good, bad, "recall", swaps=4000, seed=0) == pytest.approx(0.25, abs=0.03)
    assert mcnemar(good, bad)["p"] < 1e-200


@given(st.integers(0, 12), st.integers(0, 12))
def test_mcnemar_is_a_sign_test_on_what_only_one_judges_right(ours: int, theirs: int) -> None:
    first = frame([1] * (ours + theirs + 3), [True] * ours + [False] * theirs + [True] * 3)
    other = frame([1] * (ours + theirs + 3), [False] * ours + [True] * theirs + [True] * 3)
    found = mcnemar(first, other)
    both = ours + theirs
    tail = sum(math.comb(both, k) for k in range(min(ours, theirs) + 1)) / 2**both
    assert (found["first_only"], found["other_only"]) == (ours, theirs)
    assert found["p"] == pytest.approx(min(1.0, 2 * tail))


def test_mcnemar_refuses_weights() -> None:
    units = frame([0, 1], [False, True], weight=[1.0, 2.0])
    with pytest.raises(DataError, match="weighted"):
        mcnemar(units, units)
