"""LOF and k nearest neighbours against scikit-learn and brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
from classic_models import ANY, KNOWN, SEQUENCES, build, drawn, fitted, scores, table
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.neighbors import LocalOutlierFactor

from logbench import Context, IncompatibleError, Sessions
from logbench_classic import lof


def test_one_class_svm_and_lof_cap_what_trains_and_say_so() -> None:
    sessions, _ = drawn()
    for name in ("one-class-svm", "lof"):
        notes: list[str] = []
        facts = build(name, max_train=20).fit(sessions, Context(note=notes.append))
        assert facts["trained_vectors"] == 20 and len(notes) == 1 and "max_train" in notes[0]


@pytest.mark.parametrize("duplicates", [False, True])
def test_lof_is_scikit_learns(duplicates: bool) -> None:
    sessions, rows = drawn()
    train = rows[np.lexsort(rows.T[::-1])] if duplicates else np.unique(rows, axis=0)
    expected = -LocalOutlierFactor(n_neighbors=20, novelty=True).fit(train).decision_function(rows)
    found = scores(fitted("lof", sessions, duplicates=duplicates), sessions)
    assert np.allclose(found.primary, expected)


def test_lof_of_many_columns_is_that_of_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a product as by a tree, where no two vectors are equally far; scored alone or with others."""
    rng = np.random.default_rng(4)
    rows = rng.integers(0, 400, (150, 12))
    sequences = [np.repeat(np.arange(12), row).tolist() for row in rows]
    train, test = Sessions.of(sequences[:100], 12), Sessions.of([*sequences[100:], sequences[0], []], 12)
    expected = scores(fitted("lof", train), test).primary
    monkeypatch.setattr(lof, "WIDE", 1)
    for cells in (1 << 24, 700):  # all at once, or a few rows
        monkeypatch.setattr(lof, "CELLS", cells)
        assert scores(fitted("lof", train), test).primary == pytest.approx(expected, rel=1e-9)
    model = fitted("lof", train)
    alone = [scores(model, test.take(np.array([at]))).primary[0] for at in range(len(test))]
    assert np.array_equal(alone, scores(model, test).primary)


@pytest.mark.parametrize(("columns", "said"), [(lof.WIDE, []), (lof.WIDE + 1, ["above 500 columns the first"])])
def test_lof_says_how_equally_far_vectors_of_many_columns_are_chosen(columns: int, said: list[str]) -> None:
    notes: list[str] = []
    train = Sessions.of([[0], [1], [columns - 1, 1]], columns)
    build("lof", unseen_column=False).fit(train, Context(note=notes.append))
    assert [note.partition(" of equally far")[0] for note in notes] == said


def test_of_equally_far_vectors_the_first_are_neighbours() -> None:
    """Against all distances, sorted with the place of the vector; a vector is no neighbour of itself."""
    rows = np.random.default_rng(2).integers(0, 3, (60, 4)).astype(float)
    for most in (1, 7, 59):
        apart, which = lof._nearest(rows, rows, most, themselves=True)
        for at, row in enumerate(rows):
            near = sorted((math.dist(row, other), place) for place, other in enumerate(rows) if place != at)[:most]
            assert list(zip(apart[at].tolist(), which[at].tolist(), strict=True)) == near


def test_lof_needs_two_vectors() -> None:
    with pytest.raises(IncompatibleError, match="two different training vectors"):
        fitted("lof", Sessions.of([[0, 1], [1, 0]], 2))


@pytest.mark.parametrize("most", [2_000, 60_000])  # squares below and beyond 2^24, where float32 is not exact
def test_knn_tells_neighbours_of_large_counts_apart(most: int) -> None:
    train = Sessions.of([[0] * (most + step) for step in (0, 1, 5, 7)], 1, labels=[0, 1, 0, 1])
    asked = Sessions.of([[0] * (most + step) for step in (0, 1, 2, 4, 8)], 1)
    assert scores(fitted("knn", train), asked).primary.tolist() == [0, 1, 1, 0, 1]


def test_knn_compares_with_no_more_than_max_train() -> None:
    """Of 50 distinct vectors 20 are kept, each with all of its units: those have their own votes alone."""
    train = Sessions.of([[0] * (at + 1) for at in range(50) for _ in range(2)], 1, labels=[0, 1] * 50)
    notes: list[str] = []
    model = build("knn", max_train=20, k=2)
    assert model.fit(train, Context(note=notes.append))["trained_vectors"] == len(model.rows) == 20
    assert (model.normal == 1).all() and (model.anomalous == 1).all()
    assert notes == ["trained on 20 of 50 distinct count vectors (max_train), drawn by the seed"]
    assert (scores(model, train).primary == 0.5).all()


@settings(max_examples=60, deadline=None)
@given(SEQUENCES, ANY, st.integers(1, 6), st.data())
def test_knn_votes_as_brute_force(
    sequences: list[list[int]], asked: list[list[int]], k: int, data: st.DataObject
) -> None:
    """Units at the distance of the k-th share the votes that nearer ones leave, whatever their vectors."""
    marks = data.draw(st.lists(st.integers(0, 1), min_size=len(sequences), max_size=len(sequences)))
    assume(0 < sum(marks) < len(marks))
    train = Sessions.of(sequences, KNOWN, labels=np.array(marks, dtype=np.int8))
    test = Sessions.of(asked, KNOWN)
    found = scores(fitted("knn", train, k=k, unseen_column=False), test).primary
    rows = table(train, KNOWN)
    k = min(k, len(rows))
    for row, score in zip(table(test, KNOWN), found, strict=True):
        apart = ((rows - row) ** 2).sum(axis=1)
        reach = np.sort(apart)[k - 1]
        sure = [mark for mark, d in zip(marks, apart, strict=True) if d < reach]
        edge = [mark for mark, d in zip(marks, apart, strict=True) if d == reach]
        assert score * k == pytest.approx(sum(sure) + (k - len(sure)) * sum(edge) / len(edge))
