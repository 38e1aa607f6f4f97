"""Log clustering against its published definition, written out once more in plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from classic_models import KNOWN, SEQUENCES, Floats, alarms, build, fitted, log_idf, scores, table
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist

from logbench import Context, Sessions


def slow_clusters(train: Floats, test: Floats, bootstrap: int, limit: float, most: int = 1 << 30) -> Floats:
    """Distance to the nearest representative: one sum and size a cluster; `most` of them."""

    def between(a: Floats, b: Floats) -> float:
        return 1 - float(a @ b) / (float(np.linalg.norm(a) * np.linalg.norm(b)) + 1e-8)

    first = train[:bootstrap]
    numbers = fcluster(linkage(pdist(first, between), "complete"), limit, "distance")
    members = [first[numbers == number] for number in sorted(set(numbers))]
    sums, sizes = [rows.sum(axis=0) for rows in members], [len(rows) for rows in members]
    for row in train[bootstrap:]:
        apart = [between(row, total / size) for total, size in zip(sums, sizes, strict=True)]
        at = int(np.argmin(apart))
        if apart[at] <= limit:
            sums[at], sizes[at] = sums[at] + row, sizes[at] + 1
        elif len(sums) < most:
            sums.append(row)
            sizes.append(1)
    means = [total / size for total, size in zip(sums, sizes, strict=True)]
    return np.array([min(between(row, mean) for mean in means) for row in test])


@settings(max_examples=50, deadline=None)
@given(SEQUENCES, st.integers(2, 10))
def test_log_clustering_is_the_published_one_on_small_data(sequences: list[list[int]], bootstrap: int) -> None:
    sessions = Sessions.of(sequences, KNOWN)
    rows = table(sessions, KNOWN)
    weighted = rows * log_idf(rows)
    between = pdist(weighted[:bootstrap], "cosine") if (weighted.any(axis=1)).all() else np.zeros(0)
    assume(len(between) == len(np.unique(between.round(9))))  # no ties, where any order of merging is right
    model = fitted("log-clustering", sessions, bootstrap=bootstrap)
    expected = slow_clusters(weighted, weighted, bootstrap, 0.3)
    assert np.allclose(scores(model, sessions).primary, expected, atol=1e-6)


def test_units_far_from_all_clusters_found_none_where_there_are_max_clusters() -> None:
    rows = np.random.default_rng(5).poisson(0.5, (80, 12)).astype(float)
    rows[:, 0] += 1
    sessions = Sessions.of([np.repeat(np.arange(12), row.astype(int)).tolist() for row in rows], 12)
    notes: list[str] = []
    model = build("log-clustering", weighting="counts", bootstrap=4, max_dist=0.05, max_clusters=20)
    assert model.fit(sessions, Context(note=notes.append))["clusters"] == 20
    expected = slow_clusters(rows, rows, 4, 0.05, most=20)
    assert np.allclose(scores(model, sessions).primary, expected, atol=1e-6)
    assert len(notes) == 1 and "far from all of 20 clusters" in notes[0]
    assert (expected > 0.05).sum() == int(notes[0].split()[0])


def test_log_clustering_is_the_published_one_on_real_data(halves: tuple[Sessions, Sessions]) -> None:
    train, test = halves
    rows, asked = table(train, train.vocabulary), table(test, train.vocabulary)
    few, which = np.unique(asked, axis=0, return_inverse=True)
    weights = log_idf(rows)
    expected = slow_clusters(rows[train.labels == 0] * weights, few * weights, 300, 0.3)[which]
    found = scores(fitted("log-clustering-labelled", train, bootstrap=300), test)
    assert (alarms("log-clustering-labelled", found) != (expected > 0.3)).sum() <= 5
    assert np.abs(found.primary - expected).max() < 1e-3
    assert 10 < (expected > 0.3).sum() < len(test) / 2


@pytest.mark.parametrize("name", ["log-clustering", "log-clustering-labelled"])
def test_log_clustering_says_where_no_event_has_a_weight(name: str) -> None:
    """Each event is in each unit, so its weight is ln 1: all are at distance 1, and nothing is rounding."""
    sequences = [[0, 1] * n + [1] * m for n in range(1, 6) for m in range(4)]
    labels = np.array([m == 3 for _ in range(1, 6) for m in range(4)], dtype=np.int8)
    notes: list[str] = []
    model, train = build(name), Sessions.of(sequences, 2, labels=labels)
    model.fit(train, Context(note=notes.append))
    assert len(notes) == 1 and "weighting=counts" in notes[0]
    assert set(scores(model, train).primary) == {1.0}
