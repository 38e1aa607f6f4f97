"""PCA against its published definition, written out once more in plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from classic_models import Floats, alarms, fitted, log_idf, scores, table
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from logbench import IncompatibleError, Sessions
from logbench_classic.pca import q_statistic


def test_pca_gives_no_score_to_rounding() -> None:
    """Units of one event each, of two kinds: one component holds all that varies, so nothing is outside it."""
    model = fitted("pca", Sessions.of([[0], [1]] * 45, 2), unseen_column=False)
    assert scores(model, Sessions.of([[0], [1]], 2)).primary.tolist() == [0.0, 0.0]


def slow_pca(train: Floats, test: Floats) -> Floats:
    """SPE / Q as in the definition: every row, an SVD, sums by loops."""
    weights = log_idf(train)
    mean = (train * weights).mean(axis=0)
    centred = train * weights - mean
    axes, sizes, _ = np.linalg.svd(centred.T @ centred / len(train))
    k, covered = 0, 0.0
    while covered < 0.95 * sizes.sum() - 1e-12:
        covered += sizes[k]
        k += 1
    one, two, three = (sum(float(size) ** power for size in sizes[k:]) for power in (1, 2, 3))
    h = 1.0 - 2.0 * one * three / (3.0 * two**2)
    q = one * (3.2905 * np.sqrt(2 * two * h**2) / one + 1.0 + two * h * (h - 1.0) / one**2) ** (1.0 / h)
    project = np.eye(len(mean)) - axes[:, :k] @ axes[:, :k].T
    return np.array([((project @ (row * weights - mean)) ** 2).sum() / q for row in test])


def test_pca_is_the_published_one_on_real_data(halves: tuple[Sessions, Sessions]) -> None:
    train, test = halves
    found = scores(fitted("pca", train.unlabelled()), test)
    expected = slow_pca(table(train, train.vocabulary), table(test, train.vocabulary))
    assert np.allclose(found.primary, expected, rtol=1e-6, atol=1e-9)
    assert (alarms("pca", found) != (expected > 1)).sum() == 0
    assert 10 < alarms("pca", found).sum() < len(test) / 2


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.integers(3, 8))
def test_pca_is_the_published_one_on_small_data(seed: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.uniform(0.3, 3, columns), (40, columns))
    counts[0] += 1  # every event occurs,
    counts[1] = [1] + [0] * (columns - 1)
    counts[2] = [0] + [1] * (columns - 1)  # and none everywhere, where its weight is no more than rounding
    sessions = Sessions.of([np.repeat(np.arange(columns), row).tolist() for row in counts], columns)
    try:
        model = fitted("pca", sessions)
    except IncompatibleError:
        assume(False)
    assume(model.residual.shape[1])
    found = scores(model, sessions).primary
    expected = slow_pca(counts.astype(float), counts.astype(float))
    assume(np.isfinite(expected).all())
    assert np.allclose(found, expected, rtol=1e-5, atol=1e-8)


def test_pca_names_the_event_off_the_components() -> None:
    train = Sessions.of([[0] * n + [1] * n for n in (1, 2, 3, 4, 5)] * 20 + [[0, 1, 2]], 3)
    found = scores(
        fitted("pca", train, variance=0.9, weighting="counts"), Sessions.of([[0, 1, 2, 2, 2], [0, 1]], 3)
    )
    assert found.event is not None and found.event[0] == 2
    assert found.primary[0] > found.primary[1]


def test_q_statistic_is_near_the_quantile_it_approximates() -> None:
    variances = np.array([1.0, 0.8, 0.5, 0.5, 0.2])
    drawn = (np.random.default_rng(0).normal(size=(400_000, 5)) ** 2 * variances).sum(axis=1)
    assert q_statistic(variances, 3.0902) == pytest.approx(np.quantile(drawn, 0.999), rel=0.06)


def test_equal_variances_are_on_one_side_of_the_principal_space() -> None:
    """Events 0 and 1 vary alike and by themselves: neither of them is normal where the other is not."""
    sequences = [[0] * a + [1] * b for a, b in ((1, 2), (3, 2), (2, 1), (2, 3))] * 5
    model = fitted("pca", Sessions.of(sequences, 2), weighting="counts", variance=0.5)
    found = scores(model, Sessions.of([[0] * 9 + [1] * 2, [0] * 2 + [1] * 9], 2)).primary
    assert found[0] == pytest.approx(found[1])
