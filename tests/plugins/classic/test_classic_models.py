"""What every classic model keeps: equal units, orders, labels, columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from classic_models import ANY, KNOWN, MODELS, SUPERVISED, build, drawn, fitted, log_idf, scores, table
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from logbench import Context, DataError, IncompatibleError, Sessions
from logbench_classic import logbench_presets
from logbench_classic.counts import count, idf


@settings(max_examples=60, deadline=None)
@given(ANY, st.booleans())
def test_counts_are_those_of_a_loop(sequences: list[list[int]], unseen: bool) -> None:
    sessions = Sessions.of(sequences, KNOWN)
    made = count(sessions, unseen)
    folded = Sessions.of([[min(key, KNOWN) for key in keys] for keys in sequences], KNOWN)
    expected = table(folded, KNOWN + unseen)
    dense = made.matrix.toarray()
    assert np.array_equal(dense[made.inverse], expected)
    assert len(np.unique(dense, axis=0)) == len(dense) == len(made)
    assert np.array_equal(made.repeats, np.bincount(made.inverse))
    assert np.allclose(idf(made), log_idf(expected))


@pytest.mark.parametrize("name", list(MODELS))
def test_units_score_alike_alone_and_together(name: str) -> None:
    rng = np.random.default_rng(1)
    draw = [rng.integers(0, KNOWN, rng.integers(1, 9)).tolist() for _ in range(60)]
    labels = np.array([int(keys.count(3) > 1) for keys in draw], dtype=np.int8)
    model = fitted(name, Sessions.of(draw, KNOWN, labels=labels), unseen_column=True)
    asked = [*draw[:10], [0, KNOWN, 1], [KNOWN + 1], [2, 2, 2, 2, 2, 2, 2, 2]]
    together = scores(model, Sessions.of(asked, KNOWN))
    for at, keys in enumerate(asked):
        alone = scores(model, Sessions.of([keys], KNOWN))
        assert alone.primary[0] == pytest.approx(together.primary[at], abs=1e-9)
        assert together.event is not None and -1 <= together.event[at] < len(keys)
        known = [key for key in keys if key < KNOWN]
        ignored = scores(model, Sessions.of([known], KNOWN))
        assert together.ignoring is not None
        assert together.ignoring[at] == pytest.approx(ignored.primary[0], abs=1e-9)


@pytest.mark.parametrize("units", [30, 80])
@pytest.mark.parametrize("name", list(MODELS))
def test_equal_units_score_the_same_to_the_bit(name: str, units: int) -> None:
    """A threshold is the score of a held-out unit: one equal to it must not exceed it by rounding."""
    rng = np.random.default_rng(units)
    draw = [rng.integers(0, 20, rng.integers(1, 15)).tolist() for _ in range(units)]
    labels = np.array([int(keys.count(3) > 1) for keys in draw], dtype=np.int8)
    model = fitted(name, Sessions.of(draw, 20, labels=labels))
    asked = [*draw[:30], *(rng.integers(0, 20, 40).tolist() for _ in range(5))]
    together = scores(model, Sessions.of(asked, 20)).primary
    alone = [scores(model, Sessions.of([keys], 20)).primary[0] for keys in asked]
    assert together.tolist() == alone


@pytest.mark.parametrize("name", [name for name in MODELS if name not in SUPERVISED and name != "lof"])
def test_one_unit_is_enough_to_train(name: str) -> None:
    found = scores(fitted(name, Sessions.of([[0, 1, 2]], 3)), Sessions.of([[0, 1, 2], [2, 2]], 3))
    assert np.isfinite(found.primary).all()


# Each unit joins the cluster that is nearest by then: the order of units is part of the method.
ORDERED = {"log-clustering", "log-clustering-labelled"}


@pytest.mark.parametrize("values", [{}, {"weighting": "tf-idf"}, {"weighting": "counts"}], ids=str)
@pytest.mark.parametrize("name", sorted(MODELS.keys() - ORDERED))
def test_the_order_of_training_units_changes_no_score(name: str, values: dict[str, str]) -> None:
    """Bit for bit: neither ties, nor what a seed draws, nor the rounding of sums depend on it."""
    rng = np.random.default_rng(5)
    draw = [rng.integers(0, KNOWN, rng.integers(1, 6)).tolist() for _ in range(120)]
    labels = np.array([int(keys.count(3) > 1) for keys in draw], dtype=np.int8)
    labels[::17] = 1 - labels[::17]
    train, values = Sessions.of(draw, KNOWN, labels=labels), dict(values)
    if name in ("lof", "one-class-svm"):
        values["max_train"] = "60"
    if name == "knn":
        values["k"] = "3"
    asked = Sessions.of([[1], [0, 0, 2], [3, 3, 1], [2, 1, 0, 3], [0] * 9, [KNOWN]], KNOWN)
    expected = scores(fitted(name, train, seed=2, **values), asked)
    for _ in range(3):
        found = scores(fitted(name, train.take(rng.permutation(len(train))), seed=2, **values), asked)
        assert np.array_equal(found.primary, expected.primary)
        assert np.array_equal(found.event, expected.event) and np.array_equal(found.ignoring, expected.ignoring)


@pytest.mark.parametrize("name", SUPERVISED)
def test_units_without_a_label_do_not_train(name: str) -> None:
    sessions, _ = drawn()
    assert sessions.labels is not None
    labels = sessions.labels.copy()
    labels[::3] = -1
    mixed = fitted(name, Sessions(sessions.keys, sessions.offsets, KNOWN, sessions.ids, labels=labels))
    alone = fitted(name, sessions.take(labels >= 0))
    assert np.array_equal(scores(mixed, sessions).primary, scores(alone, sessions).primary)


@pytest.mark.parametrize("name", SUPERVISED)
@pytest.mark.parametrize("labels", [None, [0, 0], [1, -1]])
def test_supervised_models_need_both_labels(name: str, labels: list[int] | None) -> None:
    known = None if labels is None else np.array(labels, dtype=np.int8)
    with pytest.raises(IncompatibleError, match=r"labels|normal and anomalous"):
        fitted(name, Sessions.of([[0, 1], [1, 1]], 2, labels=known))


def test_the_preset_is_loglizers_split_without_a_hold_out() -> None:
    contents = {preset.name: preset.protocol["content"] for preset in logbench_presets()}
    assert contents == {"loglizer-unsupervised": "mixed", "loglizer-supervised": "labelled"}
    for preset in logbench_presets():
        assert preset.protocol["train"] == "per_class_ratio" and preset.protocol["train_ratio"] == 0.5
        assert preset.protocol["threshold"] == "fixed" and preset.protocol["held_out"] == 0.0


@pytest.mark.parametrize("more", [{"balanced": True}, {"anomaly_weight": 5.0}, {"oversample": 0.4}], ids=str)
def test_classes_count_as_asked_in_classifiers(more: dict[str, Any]) -> None:
    """Against scikit-learn with a weight a class, on every unit; of a forest, what it is given to draw from."""
    draw = np.random.default_rng(3)
    sequences = [draw.integers(0, KNOWN, draw.integers(1, 6)).tolist() for _ in range(80)]
    labels = (np.array([sequence.count(0) for sequence in sequences]) + draw.normal(0, 1, 80) > 2.3).astype(
        np.int8
    )
    normal, anomalous = int((labels == 0).sum()), int(labels.sum())
    assert 3 < anomalous < 20
    wanted = round(0.4 / 0.6 * normal) / anomalous
    weights = {"balanced": [40 / normal, 40 / anomalous], "anomaly_weight": [1, 5.0], "oversample": [1, wanted]}
    weight = dict(enumerate(weights[next(iter(more))]))
    train = Sessions.of(sequences, KNOWN, labels=labels)
    rows = table(train, KNOWN)
    logistic = LogisticRegression(C=100.0, tol=1e-8, solver="liblinear", class_weight=weight, max_iter=1000)
    logistic.fit(rows, labels)
    ours = scores(fitted("logistic-regression", train, weighting="counts", **more), train)
    np.testing.assert_allclose(ours.primary, logistic.predict_proba(rows)[:, 1], atol=1e-5)
    tree = DecisionTreeClassifier(max_depth=2, class_weight=weight, random_state=0).fit(rows, labels)
    ours = scores(fitted("decision-tree", train, weighting="counts", depth=2, **more), train)
    np.testing.assert_allclose(ours.primary, tree.predict_proba(rows)[:, 1], atol=1e-9)
    forest = scores(fitted("random-forest", train, weighting="counts", trees=400, depth=2, **more), train).primary
    plain = scores(fitted("random-forest", train, weighting="counts", trees=400, depth=2), train).primary
    assert forest.mean() > plain.mean() + 0.05


@pytest.mark.parametrize("name", ["pca", "invariants", "lof", "decision-tree", "logistic-regression", "knn"])
def test_more_events_than_columns_share_one_and_the_record_says_so(name: str) -> None:
    """As if the rare events had been one; each is counted by hand. What decides is an event of the unit."""
    rng = np.random.default_rng(11)
    rows = [[*rng.integers(0, 6, 8), *rng.choice(np.arange(6, 40), rng.integers(0, 3))] for _ in range(120)]
    labels = rng.integers(0, 2, 120)
    having = [sum(key in row for row in rows) for key in range(40)]
    own = sorted(range(40), key=lambda key: (-having[key], key))[:7]
    place = {key: sorted(own).index(key) if key in own else 7 for key in range(40)}
    notes: list[str] = []
    model, plain = (build(name, max_columns=most) for most in (8, 2_000))
    model.fit(Sessions.of(rows, 40, labels=labels), Context(note=notes.append))
    assert any(note == "the rarest 33 of 40 events are counted in one column (max_columns)" for note in notes)
    folded = [[place[int(key)] for key in row] for row in rows]
    plain.fit(Sessions.of(folded, 8, labels=labels), Context(note=notes.append))
    test = Sessions.of([*rows[:40], [39, 39, 1], [41]], 40)
    found = model.score(test, Context())
    same = plain.score(Sessions.of([*folded[:40], [7, 7, 1], [8]], 8), Context())
    assert found.primary == pytest.approx(same.primary, rel=1e-12) and len(notes) == 1
    assert found.event.tolist() == same.event.tolist() and (found.event < test.lengths).all()
    with pytest.raises(DataError, match="was trained on 40 keys, not on 8"):
        model.score(Sessions.of(folded, 8), Context())
