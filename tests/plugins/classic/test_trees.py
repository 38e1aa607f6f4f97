"""Trees and forests against a tree in plain loops and scikit-learn's forests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from classic_models import KNOWN, SEQUENCES, Floats, alarms, build, drawn, fitted, log_idf, scores, table
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest as SkForest
from sklearn.ensemble import RandomForestClassifier

from logbench import Context, Sessions


@pytest.mark.parametrize("share", [0.3, 0.9999])
def test_a_share_of_few_units_leaves_each_tree_one(share: float) -> None:
    for units in (1, 2, 3):
        train = Sessions.of([[0, unit] for unit in range(units)], 3)
        assert np.isfinite(scores(fitted("isolation-forest", train, max_samples=share), train).primary).all()


def test_isolation_forest_is_scikit_learns() -> None:
    sessions, rows = drawn()
    forest = SkForest(n_estimators=100, max_samples=0.9999, contamination=0.03, random_state=5)
    forest.fit(rows[np.lexsort(rows.T[::-1])])  # the order that hides the units' own
    found = scores(fitted("isolation-forest", sessions, seed=5), sessions)
    assert np.allclose(found.primary, -forest.decision_function(rows))
    assert ((found.primary > 1e-12) == (forest.predict(rows) == -1)).all()


def slow_tree(rows: Floats, labels: NDArray[np.int8]) -> Any:
    """A grown Gini tree as nested tuples (column, cut, below, above), a leaf as its share of anomalies."""
    if len(set(labels.tolist())) == 1:
        return float(labels[0])
    best: tuple[float, int, float] | None = None
    for column in range(rows.shape[1]):
        values = np.unique(rows[:, column])
        for cut in (values[:-1] + values[1:]) / 2:
            below = rows[:, column] <= cut
            impurity = 0.0
            for side in (labels[below], labels[~below]):
                impurity += len(side) * 2 * side.mean() * (1 - side.mean())
            if best is None or impurity < best[0] - 1e-9:
                best = (impurity, column, cut)
    if best is None:
        return float(labels.mean())
    below = rows[:, best[1]] <= best[2]
    return best[1], best[2], slow_tree(rows[below], labels[below]), slow_tree(rows[~below], labels[~below])


def leaf(tree: Any, row: Floats) -> float:
    while not isinstance(tree, float):
        column, cut, below, above = tree
        tree = below if row[column] <= cut else above
    return tree


def test_decision_tree_is_the_published_one_on_real_data(halves: tuple[Sessions, Sessions]) -> None:
    train, test = halves
    rows, asked = table(train, train.vocabulary), table(test, train.vocabulary)
    weights = log_idf(rows)
    assert train.labels is not None
    tree = slow_tree(rows * weights, train.labels)
    few, which = np.unique(asked, axis=0, return_inverse=True)
    expected = np.array([leaf(tree, row) > 0.5 for row in few * weights])[which]
    found = alarms("decision-tree", scores(fitted("decision-tree", train), test))
    assert (found != expected).sum() <= 5
    assert expected.sum() > 100


@settings(max_examples=50, deadline=None)
@given(SEQUENCES, st.data())
def test_decision_tree_gives_each_training_vector_its_share(
    sequences: list[list[int]], data: st.DataObject
) -> None:
    drawn = data.draw(st.lists(st.integers(0, 1), min_size=len(sequences), max_size=len(sequences)))
    assume(0 < sum(drawn) < len(drawn))
    sessions = Sessions.of(sequences, KNOWN, labels=np.array(drawn, dtype=np.int8))
    rows = table(sessions, KNOWN)
    found = scores(fitted("decision-tree", sessions, weighting="counts"), sessions).primary
    for row, score in zip(rows, found, strict=True):
        same = [label for other, label in zip(rows, drawn, strict=True) if (other == row).all()]
        assert score == pytest.approx(sum(same) / len(same))


def test_random_forest_is_scikit_learns() -> None:
    sessions, rows = drawn()
    assert sessions.labels is not None
    order = np.lexsort((*rows.T[::-1], sessions.labels))  # normal units first, then as `np.unique` has them
    forest = RandomForestClassifier(n_estimators=30, random_state=2).fit(rows[order], sessions.labels[order])
    found = scores(fitted("random-forest", sessions, seed=2, trees=30, weighting="counts"), sessions)
    assert np.allclose(found.primary, forest.predict_proba(rows)[:, 1])


def test_trees_of_a_random_forest_draw_no_more_than_max_draws() -> None:
    sessions, rows = drawn()
    assert sessions.labels is not None
    order = np.lexsort((*rows.T[::-1], sessions.labels))
    forest = RandomForestClassifier(n_estimators=30, max_samples=7, random_state=2)
    forest.fit(rows[order], sessions.labels[order])
    notes: list[str] = []
    model = build("random-forest", trees=30, weighting="counts", max_draws=7)
    model.fit(sessions, Context(seed=2, note=notes.append))
    assert np.allclose(scores(model, sessions).primary, forest.predict_proba(rows)[:, 1])
    assert notes == [f"each tree draws 7 of {len(sessions)} training units (max_draws)"]


def test_a_tree_takes_so_many_vectors_of_both_classes_and_says_so() -> None:
    """300 units of their own, 6 anomalous, of which a tree of at most 40 sees all."""
    rows = [[key] * (1 + key % 3) for key in range(300)]
    labels = (np.arange(300) % 50 == 7).astype(np.int8)
    notes: list[str] = []
    model, whole = build("decision-tree", max_train=40), build("decision-tree", max_train=300)
    for one in (model, whole):
        one.fit(Sessions.of(rows, 300, labels=labels), Context(seed=3, note=notes.append))
    assert notes == ["grown on 40 of 300 distinct vectors with a label (max_train), drawn by the seed"]
    anomalies = Sessions.of([rows[at] for at in np.flatnonzero(labels)], 300)
    assert (scores(model, anomalies).primary == 1).all() and (scores(whole, anomalies).primary == 1).all()
