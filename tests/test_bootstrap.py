"""Bootstrap intervals against a loop that draws units one by one, and McNemar's test against its formula."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import bootstrap as scipy_bootstrap
from sklearn.metrics import f1_score, matthews_corrcoef, precision_score, recall_score

from logbench import DataError
from logbench.bootstrap import METRICS, cells, interval, mcnemar, paired

SKLEARN = {"f1": f1_score, "precision": precision_score, "recall": recall_score}


def frame(labels: Any, verdicts: Any, sequence: Any = None, weight: Any = None) -> pl.DataFrame:
    size = len(labels)
    columns = {
        "label": pl.Series(labels, dtype=pl.Int8),
        "verdict": pl.Series(verdicts, dtype=pl.Boolean),
        "sequence": pl.Series(range(size) if sequence is None else sequence, dtype=pl.UInt32),
        "weight": pl.Series([1.0] * size if weight is None else weight, dtype=pl.Float64),
    }
    return pl.DataFrame(columns)


UNITS = st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(1, 5)), min_size=1, max_size=20)


@given(UNITS)
def test_metrics_of_cells_are_scikit_learns(units: list[tuple[bool, bool, int]]) -> None:
    labels, verdicts, weights = map(list, zip(*units, strict=True))
    total = cells(frame(labels, verdicts, weight=weights)).sum(axis=0)
    for name, theirs in SKLEARN.items():
        expected = theirs(labels, verdicts, sample_weight=weights, zero_division=0)
        assert METRICS[name](total) == pytest.approx(expected)
    if len(set(labels)) == 2 == len(set(verdicts)):
        assert METRICS["mcc"](total) == pytest.approx(matthews_corrcoef(labels, verdicts, sample_weight=weights))


def f1(truth: Any, said: Any) -> float:
    """The definition, in as few steps as possible: it is asked thousands of times."""
    return 2 * float((truth & said).sum()) / float(truth.sum() + said.sum())


def noisy(rng: np.random.Generator, size: int, wrong: float) -> tuple[Any, Any]:
    labels = rng.random(size) < 0.3
    return labels, labels ^ (rng.random(size) < wrong)


def test_the_interval_of_single_units_is_scipys() -> None:
    labels, verdicts = noisy(np.random.default_rng(1), 300, 0.15)

    theirs = scipy_bootstrap((labels, verdicts), f1, paired=True, vectorized=False, n_resamples=3000,
                             method="percentile", rng=np.random.default_rng(2)).confidence_interval  # fmt: skip
    ours = interval(frame(labels, verdicts), "f1", clustered=False, resamples=3000)
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.012)


def by_hand(units: pl.DataFrame, other: pl.DataFrame, resamples: int) -> Any:
    """Differences of F1, drawing sequences one after another."""
    rng = np.random.default_rng(5)
    names = units["sequence"].unique().to_numpy()
    members = {name: np.flatnonzero(units["sequence"].to_numpy() == name) for name in names}
    found = []
    for _ in range(resamples):
        rows = np.concatenate([members[name] for name in rng.choice(names, len(names))])
        truth = units["label"].to_numpy()[rows] == 1
        both = [f1(truth, said["verdict"].to_numpy()[rows]) for said in (units, other)]
        found.append(both[1] - both[0])
    return np.array(found)


def test_the_paired_difference_draws_whole_sequences() -> None:
    rng = np.random.default_rng(3)
    sequence = np.repeat(np.arange(60), rng.integers(1, 12, 60))
    label = np.repeat(rng.random(60) < 0.4, np.bincount(sequence))
    first = frame(label, label ^ np.repeat(rng.random(60) < 0.2, np.bincount(sequence)), sequence)
    other = frame(label, label ^ np.repeat(rng.random(60) < 0.1, np.bincount(sequence)), sequence)
    expected = by_hand(first, other, 1500)
    found = paired(first, other, "f1", resamples=4000, seed=0)
    known = [f1_score(u["label"], u["verdict"]) for u in (first, other)]
    assert found.difference == pytest.approx(known[1] - known[0]) and found.clusters == 60
    spread = expected.std()
    assert found.low == pytest.approx(np.percentile(expected, 2.5), abs=0.25 * spread)
    assert found.high == pytest.approx(np.percentile(expected, 97.5), abs=0.25 * spread)
    assert found.lower == pytest.approx((expected < 0).mean(), abs=0.04)
    single = paired(first.with_columns(sequence=pl.int_range(pl.len())), other, "f1", resamples=2000, seed=0)
    assert single.high - single.low < 0.7 * (found.high - found.low), "clusters make it less sure"


def test_a_run_against_itself_differs_by_nothing_and_a_seed_repeats_itself() -> None:
    labels, verdicts = noisy(np.random.default_rng(4), 200, 0.2)
    units = frame(labels, verdicts)
    same = paired(units, units, "mcc", resamples=200, seed=1)
    assert (same.difference, same.low, same.high, same.lower) == (0, 0, 0, 0)
    assert interval(units, "f1", seed=1) == interval(units, "f1", seed=1) != interval(units, "f1", seed=2)


def test_normals_alone_leave_the_recall_as_it_is() -> None:
    labels, verdicts = noisy(np.random.default_rng(6), 400, 0.1)
    units = frame(labels, verdicts)
    recall = recall_score(labels, verdicts)
    assert interval(units, "recall", only="normal", resamples=300) == pytest.approx((recall, recall))
    low, high = interval(units, "precision", only="normal", clustered=False, resamples=4000)
    false = int((verdicts & ~labels).sum())
    sd = math.sqrt(false * (1 - false / (~labels).sum()))
    true = int((verdicts & labels).sum())
    assert low == pytest.approx(true / (true + false + 1.96 * sd), abs=0.01)
    assert high == pytest.approx(true / (true + false - 1.96 * sd), abs=0.01)


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
