"""Classic detectors against the published definitions, written out once more in plain loops."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.optimize import minimize
from scipy.spatial.distance import pdist
from sklearn.ensemble import IsolationForest as SkForest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import LocalOutlierFactor
from sklearn.svm import OneClassSVM
from sklearn.tree import DecisionTreeClassifier

from logbench import Context, DataError, IncompatibleError, Scores, Sessions
from logbench.api.plan import Plan
from logbench.base.options import make
from logbench.components.registry import Registry
from logbench.running.prepare import prepare
from logbench.running.resolve import resolve
from logbench.running.runtime import Runtime
from logbench.running.stages import Stages
from logbench_classic import lof, logbench_models, logbench_presets, one_class_svm
from logbench_classic.counts import count, idf
from logbench_classic.invariants import Miner
from logbench_classic.options import Invariants as InvariantsConfig
from logbench_classic.pca import q_statistic

Floats = NDArray[np.float64]
MODELS = {component.name: component for component in logbench_models()}
SUPERVISED = [name for name, component in MODELS.items() if component.traits.supervision == "supervised"]
SAMPLE = "hdfs_v1_sample/HDFS_v1.zip"
KNOWN = 4
SEQUENCES = st.lists(st.lists(st.integers(0, KNOWN - 1), min_size=1, max_size=8), min_size=2, max_size=25)
ANY = st.lists(st.lists(st.integers(0, KNOWN + 2), max_size=8), min_size=1, max_size=15)


def build(name: str, **values: Any) -> Any:
    return MODELS[name].build(make(MODELS[name].config, values, name))


def fitted(name: str, train: Sessions, seed: int = 0, **values: Any) -> Any:
    model = build(name, **values)
    model.fit(train, Context(seed=seed))
    return model


def scores(model: Any, sessions: Sessions) -> Scores:
    return Scores.of(model.score(sessions.unlabelled(), Context()), len(sessions), "tested")


def table(sessions: Sessions, columns: int) -> Floats:
    """Counts by a loop over events; keys of `columns` and above are dropped."""
    found = np.zeros((len(sessions), columns))
    for unit, (start, end) in enumerate(pairwise(sessions.offsets)):
        for key in sessions.keys[start:end]:
            if key < columns:
                found[unit, key] += 1
    return found


def log_idf(train: Floats) -> Floats:
    return np.array([np.log(len(train) / ((column > 0).sum() + 1e-8)) for column in train.T])


def alarms(name: str, found: Scores) -> NDArray[np.bool_]:
    threshold = MODELS[name].traits.fixed_threshold
    assert isinstance(threshold, float)
    return found.primary > threshold


@pytest.fixture(scope="module")
def halves(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sessions, Sessions]]:
    """Training and test half of the real sample under loglizer's preset, labels and all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        registry = Registry()
        plan = Plan(
            model="knn", dataset="hdfs", data=shared_data / SAMPLE, preset="loglizer-supervised", cache=False
        )
        runtime = Runtime.here(registry)
        made = prepare(resolve(plan, registry), runtime, Stages(runtime), print)
        yield made.sessions.take(made.split.train), made.sessions.take(made.split.test)


# The matrix


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


def test_pca_gives_no_score_to_rounding() -> None:
    """Units of one event each, of two kinds: one component holds all that varies, so nothing is outside it."""
    model = fitted("pca", Sessions.of([[0], [1]] * 45, 2), unseen_column=False)
    assert scores(model, Sessions.of([[0], [1]], 2)).primary.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("name", [name for name in MODELS if name not in SUPERVISED and name != "lof"])
def test_one_unit_is_enough_to_train(name: str) -> None:
    found = scores(fitted(name, Sessions.of([[0, 1, 2]], 3)), Sessions.of([[0, 1, 2], [2, 2]], 3))
    assert np.isfinite(found.primary).all()


@pytest.mark.parametrize("share", [0.3, 0.9999])
def test_a_share_of_few_units_leaves_each_tree_one(share: float) -> None:
    for units in (1, 2, 3):
        train = Sessions.of([[0, unit] for unit in range(units)], 3)
        assert np.isfinite(scores(fitted("isolation-forest", train, max_samples=share), train).primary).all()


# Models without labels


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


def made_counts(units: int, broken: int) -> Floats:
    """Events 0 + 1 = 2 and 3 = 2 × 4, event 5 free, event 6 never; the last units break the first relation."""
    rng = np.random.default_rng(7)
    a, b, d, f = (rng.integers(1, 30, units) for _ in range(4))
    rows = np.stack([a, b, a + b, 2 * d, d, f, 0 * a], axis=1).astype(float)
    if broken:
        rows[-broken:, 2] += 9
    return rows


def test_known_invariants_are_found() -> None:
    rows = made_counts(500, broken=5)
    miner = Miner(rows, np.full(500, 1 / 500), InvariantsConfig())
    found = miner.search()
    assert miner.dimension == 2 + 1 and not miner.stopped
    assert set(found) == {(6,), (3, 4), (0, 1, 2)}
    assert abs(found[3, 4][1] / found[3, 4][0]) == 2 and found[3, 4].prod() < 0
    first, second, third = found[0, 1, 2]
    assert first == second == -third and abs(first) == 1


def test_broken_invariants_alarm_and_name_an_event_of_theirs() -> None:
    rows = made_counts(500, broken=5).astype(int)
    sessions = Sessions.of([np.repeat(np.arange(7), row).tolist() for row in rows], 7)
    found = scores(fitted("invariants", sessions), sessions)
    assert np.flatnonzero(alarms("invariants", found)).tolist() == list(range(495, 500))
    assert np.allclose(found.primary[-5:], 9)
    assert found.event is not None
    named = sessions.keys[sessions.offsets[495:500] + found.event[495:]]
    assert set(named) <= {0, 1, 2} and (found.event[:495] == -1).all()


def test_an_invariant_broken_too_often_is_none() -> None:
    miner = Miner(made_counts(500, broken=11), np.full(500, 1 / 500), InvariantsConfig())
    assert set(miner.search()) == {(6,), (3, 4)}


def test_the_search_for_invariants_says_where_it_stopped() -> None:
    notes: list[str] = []
    rows = made_counts(300, broken=0).astype(int)
    sessions = Sessions.of([np.repeat(np.arange(7), row).tolist() for row in rows], 7)
    build("invariants", max_candidates=3).fit(sessions, Context(note=notes.append))
    assert len(notes) == 1 and "length 2" in notes[0]
    assert build("invariants", longest=2).fit(sessions, Context())["invariants"] == 2


@settings(max_examples=50, deadline=None)
@given(SEQUENCES)
def test_every_invariant_holds_in_nearly_all_training_units(sequences: list[list[int]]) -> None:
    sessions = Sessions.of(sequences, KNOWN)
    rows = table(sessions, KNOWN)
    model = fitted("invariants", sessions)
    for theta in model.theta.T:
        held = sum(abs(float(sum(row * theta))) < 1e-8 for row in rows)
        assert held >= 0.98 * len(rows) and theta.any()
    unused = np.flatnonzero(~rows.any(axis=0))
    assert (np.abs(model.theta[unused]).sum(axis=1) > 0).all()


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


def test_equal_variances_are_on_one_side_of_the_principal_space() -> None:
    """Events 0 and 1 vary alike and by themselves: neither of them is normal where the other is not."""
    sequences = [[0] * a + [1] * b for a, b in ((1, 2), (3, 2), (2, 1), (2, 3))] * 5
    model = fitted("pca", Sessions.of(sequences, 2), weighting="counts", variance=0.5)
    found = scores(model, Sessions.of([[0] * 9 + [1] * 2, [0] * 2 + [1] * 9], 2)).primary
    assert found[0] == pytest.approx(found[1])


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


def drawn(units: int = 150, seed: int = 3) -> tuple[Sessions, Floats]:
    rng = np.random.default_rng(seed)
    rows = rng.poisson([3, 1, 0.5, 2], (units, KNOWN))
    labels = (rows[:, 2] + rng.integers(0, 2, units) > 2).astype(np.int8)
    sequences = [np.repeat(np.arange(KNOWN), row).tolist() for row in rows]
    return Sessions.of(sequences, KNOWN, labels=labels), rows.astype(float)


def test_isolation_forest_is_scikit_learns() -> None:
    sessions, rows = drawn()
    forest = SkForest(n_estimators=100, max_samples=0.9999, contamination=0.03, random_state=5)
    forest.fit(rows[np.lexsort(rows.T[::-1])])  # the order that hides the units' own
    found = scores(fitted("isolation-forest", sessions, seed=5), sessions)
    assert np.allclose(found.primary, -forest.decision_function(rows))
    assert ((found.primary > 1e-12) == (forest.predict(rows) == -1)).all()


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


# Models with labels


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
