"""Weighted metrics against scikit-learn on rows repeated as often as their weight says."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
import sklearn.metrics as sk
from hypothesis import example, given, settings
from hypothesis import strategies as st

from logbench_evaluators.classification import Classification

UNIT = st.tuples(st.integers(0, 1), st.sampled_from([-math.inf, -1.0, 0.0, 0.5, 2.0, math.inf]), st.integers(1, 4))


def frame(units: list[tuple[int, float, int]], threshold: float) -> pl.DataFrame:
    label, score, weight = zip(*units, strict=True)
    columns = {"label": pl.Series(label, dtype=pl.Int8), "score": score, "weight": [float(w) for w in weight]}
    return pl.DataFrame(columns).with_columns(verdict=pl.col("score") > threshold)


@settings(max_examples=40, deadline=None)
@given(st.lists(UNIT, min_size=1, max_size=25), st.sampled_from([-math.inf, 0.0, 1.0, math.inf]))
@example([(1, math.inf, 2), (0, -math.inf, 3)], 0.0)
@example([(1, 0.0, 1)], 0.0)
@example([(0, 0.0, 1)], -1.0)
def test_metrics_as_of_repeated_rows(units: list[tuple[int, float, int]], threshold: float) -> None:
    found = dict(Classification().evaluate(frame(units, threshold)))
    rows = [(label, score) for label, score, weight in units for _ in range(weight)]
    truth = np.array([label for label, _ in rows])
    score = np.clip([s for _, s in rows], -1e6, 1e6)  # scikit-learn takes no infinity; the order is the same
    verdict = np.array([int(s > threshold) for _, s in rows])
    both = 0 < truth.sum() < len(truth)
    tn, fp, fn, tp = sk.confusion_matrix(truth, verdict, labels=[0, 1]).ravel()
    expected = {
        "tp": tp,
        "fp": fp,
        "tn": tn,
        "fn": fn,
        "precision": sk.precision_score(truth, verdict, zero_division=0.0),
        "recall": sk.recall_score(truth, verdict, zero_division=0.0),
        "f1": sk.f1_score(truth, verdict, zero_division=0.0),
        "mcc": sk.matthews_corrcoef(truth, verdict) if both else None,
        "auroc": sk.roc_auc_score(truth, score) if both else None,
        "auprc": sk.average_precision_score(truth, score) if both else None,
        "prevalence": truth.mean(),
    }
    assert found == {name: value if value is None else pytest.approx(value) for name, value in expected.items()}


def test_fractional_weights_scale_counts() -> None:
    units = frame([(1, 1.0, 1), (0, 1.0, 1), (0, 0.0, 1)], 0.5).with_columns(weight=pl.Series([1.0, 0.5, 99.5]))
    found = Classification().evaluate(units)
    assert (found["tp"], found["fp"], found["tn"], found["fn"]) == (1, 0.5, 99.5, 0)
    assert found["precision"] == pytest.approx(1 / 1.5)
    assert found["prevalence"] == pytest.approx(1 / 101)
