"""Logistic regression and the linear SVM against solvers of their own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from classic_models import KNOWN, Floats, alarms, build, drawn, fitted, log_idf, scores, table
from numpy.typing import NDArray
from scipy.optimize import minimize

from logbench import Context, Sessions


@pytest.mark.parametrize("name", ["linear-svm", "logistic-regression"])
def test_no_seed_of_a_solver_decides_a_verdict(name: str, halves: tuple[Sessions, Sessions]) -> None:
    train, test = halves
    first, *others = (alarms(name, scores(fitted(name, train, seed=seed), test)) for seed in range(4))
    assert all(np.array_equal(first, found) for found in others) and 100 < first.sum() < len(test) / 2


def test_work_of_the_linear_svm_is_bounded_and_the_record_says_so() -> None:
    """So many counts are so many iterations; without the bound the solver goes on to its tolerance."""
    train, rows = drawn()
    notes: list[str] = []
    entries = int((np.unique(rows, axis=0) > 0).sum())
    bounded, stopped, free = (
        build("linear-svm", weighting="counts", **values)
        for values in ({"max_entries": 5 * entries + 1}, {"max_iter": 5}, {})
    )
    facts = [model.fit(train, Context(note=notes.append)) for model in (bounded, stopped, free)]
    assert [fact["converged"] for fact in facts] == [False, False, True]
    assert notes == [f"the solver stopped at {name} before its tolerance" for name in ("max_entries", "max_iter")]
    assert np.array_equal(bounded.coefficients, stopped.coefficients)
    assert not np.allclose(bounded.coefficients, free.coefficients)


def test_events_with_equal_counts_have_equal_parts_in_the_linear_svm() -> None:
    """The L1 penalty alone would give all to either, by the seed."""
    sequences = [[0, 1] * n + [2] * (3 - n) for n in (0, 0, 1, 2, 3)] * 4
    labels = np.array([0, 0, 1, 1, 1] * 4, dtype=np.int8)
    for seed in range(3):
        model = fitted("linear-svm", Sessions.of(sequences, KNOWN, labels=labels), seed=seed, weighting="counts")
        found = scores(model, Sessions.of([[0, 0], [1, 1], [0, 1]], KNOWN)).primary
        assert found[0] == pytest.approx(found[1]) and found[2] == pytest.approx(found[0])


def merged(rows: Floats, labels: NDArray[np.int8]) -> tuple[Floats, Floats, Floats]:
    """Distinct rows with a column of ones (liblinear penalises the intercept too), signs, and repetitions."""
    marked, times = np.unique(np.column_stack([rows, labels]), axis=0, return_counts=True)
    return np.hstack([marked[:, :-1], np.ones((len(marked), 1))]), 2 * marked[:, -1] - 1, times.astype(float)


def slow_logistic(rows: Floats, signs: Floats, times: Floats) -> Floats:
    """Least ½|w|² + 100 Σ log(1 + exp(−s w·x)), by a general minimiser."""

    def loss(w: Floats) -> tuple[float, Floats]:
        margin = signs * (rows @ w)
        slope = -times * signs / (1 + np.exp(np.clip(margin, -500, 500)))
        return 0.5 * float(w @ w) + 100 * float(times @ np.logaddexp(0, -margin)), w + 100 * rows.T @ slope

    options = {"maxiter": 5_000, "maxfun": 20_000, "ftol": 1e-11, "gtol": 1e-6}
    return np.asarray(minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B", options=options).x)


def slow_svm(rows: Floats, signs: Floats, times: Floats) -> Floats:
    """Least |w|₁ + Σ max(0, 1 − s w·x)², one coordinate after another."""
    w, margin = np.zeros(rows.shape[1]), np.zeros(len(rows))
    bends = 2 * (times @ rows**2)
    for _ in range(1_000):
        for at in np.flatnonzero(bends):
            slope = -2 * float((times * signs * rows[:, at]) @ np.maximum(1 - margin, 0))
            aim = w[at] - slope / bends[at]
            new = np.sign(aim) * max(abs(aim) - 1 / bends[at], 0.0)
            margin += signs * rows[:, at] * (new - w[at])
            w[at] = new
    return w


@pytest.mark.parametrize(
    ("name", "slow"), [("logistic-regression", slow_logistic), ("linear-svm", slow_svm)], ids=["lr", "svm"]
)
def test_linear_models_are_the_published_ones_on_real_data(
    halves: tuple[Sessions, Sessions], name: str, slow: Callable[..., Floats]
) -> None:
    train, test = halves
    rows, asked = table(train, train.vocabulary), table(test, train.vocabulary)
    weights = log_idf(rows)
    assert train.labels is not None
    best = slow(*merged(rows * weights, train.labels))
    expected = (asked * weights) @ best[:-1] + best[-1] > 0
    found = alarms(name, scores(fitted(name, train), test))
    assert (found != expected).sum() <= 5
    assert expected.sum() > 100
