"""The one-class SVM against scikit-learn's on every unit."""

from __future__ import annotations

import numpy as np
import pytest
from classic_models import KNOWN, Floats, fitted, scores
from sklearn.svm import OneClassSVM

from logbench import Sessions
from logbench_classic import one_class_svm


def skewed(units: int, seed: int) -> tuple[Sessions, Floats]:
    """Few count vectors that are very common, and rare ones, as in logs."""
    rng = np.random.default_rng(seed)
    kinds = np.unique(np.add(rng.poisson([3, 1, 0.5, 2], (40, KNOWN)), [1, 0, 0, 0]), axis=0)
    share = 1.0 / np.arange(1, len(kinds) + 1) ** 2
    rows = kinds[rng.choice(len(kinds), units, p=share / share.sum())]
    return Sessions.of([np.repeat(np.arange(KNOWN), row).tolist() for row in rows], KNOWN), rows.astype(float)


@pytest.mark.parametrize("seed", range(6))
def test_one_class_svm_weights_are_repetitions(seed: int) -> None:
    """Scores and verdicts, those of the commonest vectors too, which lie on the boundary."""
    sessions, rows = skewed(1000, seed)
    svm = OneClassSVM(nu=0.1, gamma="scale", tol=1e-6).fit(rows)
    found = scores(fitted("one-class-svm", sessions, nu=0.1), sessions).primary
    expected = -svm.decision_function(rows) * len(np.unique(rows, axis=0)) / len(rows)  # weights of mean 1
    assert np.allclose(found, expected, atol=2e-6)
    assert ((found > 0) == (expected > 1e-6)).all() and (found == 0).mean() > 0.1


@pytest.mark.parametrize("tolerance", [1e-6, 1e-8, 1e-9])
def test_no_tolerance_of_the_one_class_svm_decides_a_verdict(
    tolerance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions, _ = skewed(1000, 0)
    usual = scores(fitted("one-class-svm", sessions), sessions).primary
    monkeypatch.setattr(one_class_svm, "TOLERANCE", tolerance)
    assert np.array_equal(scores(fitted("one-class-svm", sessions), sessions).primary > 0, usual > 0)
