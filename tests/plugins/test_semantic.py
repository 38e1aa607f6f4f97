"""SemPCA and retrieval, against computations of their own."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from logbench import Context, Sessions
from logbench_semantic import RetrievalConfig, SemPcaConfig
from logbench_semantic.components import parallel_analysis
from logbench_semantic.retrieval import Retrieval
from logbench_semantic.sempca import SemPca

TEXTS = 8
VECTORS = np.random.default_rng(7).standard_normal((TEXTS + 2, 5)).astype(np.float32)


def units(seed: int, count: int = 60, unseen: float = 0.0) -> list[list[int]]:
    """Two kinds of work that mix few of their texts, and now and then an unseen text."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        kind = rng.integers(2)
        steps = (rng.integers(4, size=rng.integers(2, 9)) + 3 * kind).tolist()
        made.append([int(step) if rng.random() >= unseen else TEXTS + int(rng.integers(2)) for step in steps])
    return made


def sessions(sequences: list[list[int]], vectors: Any = VECTORS) -> Sessions:
    """Each key has the row of `vectors` of its number; rows come in an order of their own."""
    order = np.random.default_rng(len(sequences)).permutation(len(vectors))
    ids = np.array([key for unit in sequences for key in unit], dtype=np.int32)
    place = np.argsort(order).astype(np.int32)
    return Sessions.of(sequences, TEXTS, vectors=vectors[order], vector_ids=place[ids])


def sums(sequences: list[list[int]], vectors: Any = VECTORS) -> Any:
    return np.array(
        [sum((vectors[key].astype(float) for key in unit), np.zeros(vectors.shape[1])) for unit in sequences]
    )


@pytest.mark.parametrize("centre", [False, True])
@pytest.mark.parametrize("k", [1, 3])
def test_sempca_is_a_singular_value_decomposition(k: int, centre: bool) -> None:
    train, asked = units(1), units(2, unseen=0.2)
    model = SemPca(SemPcaConfig(components=k, centre=centre))
    facts = model.fit(sessions(train), Context())
    table, mean = sums(train), sums(train).mean(0) * centre
    _, sizes, axes = np.linalg.svd(table - mean, full_matrices=True)
    values = np.zeros(5)
    values[: len(sizes)] = sizes**2 / len(train)
    first, second, third = ((values[k:] ** power).sum() for power in (1, 2, 3))
    h = 1 - 2 * first * third / (3 * second**2)
    q = first * (3.2905 * np.sqrt(2 * second * h**2) / first + 1 + second * h * (h - 1) / first**2) ** (1 / h)
    assert facts["components"] == k and facts["q"] == pytest.approx(q)
    left = (sums(asked) - mean) - (sums(asked) - mean) @ axes[:k].T @ axes[:k]
    found = model.score(sessions(asked), Context())
    np.testing.assert_allclose(found.primary, (left**2).sum(1) / q, rtol=1e-6)
    without = [[key for key in unit if key < TEXTS] for unit in asked]
    left_known = (sums(without) - mean) - (sums(without) - mean) @ axes[:k].T @ axes[:k]
    np.testing.assert_allclose(found.ignoring, (left_known**2).sum(1) / q, rtol=1e-6)
    for unit, place, residual in zip(asked, found.event, left, strict=True):  # type: ignore[arg-type]
        own = {key: VECTORS[key] - VECTORS[key] @ axes[:k].T @ axes[:k] for key in unit}
        without_one = {key: float(((residual - own[key]) ** 2).sum()) for key in unit}
        assert place == unit.index(min(without_one, key=without_one.__getitem__))


def test_with_a_column_a_text_sempca_is_a_pca_of_counts() -> None:
    train, eye = units(1), np.eye(TEXTS + 2, dtype=np.float32)
    model = SemPca(SemPcaConfig(components=2))
    model.fit(sessions(train, eye), Context())
    counts = np.array([[unit.count(key) for key in range(TEXTS + 2)] for unit in train], dtype=float)
    _, _, axes = np.linalg.svd(counts, full_matrices=False)
    left = counts - counts @ axes[:2].T @ axes[:2]
    np.testing.assert_allclose(
        model.score(sessions(train, eye), Context()).primary * model.q, (left**2).sum(1), atol=1e-9
    )


@pytest.mark.parametrize("works", [1, 2, 3])
def test_parallel_analysis_finds_the_kinds_of_work(works: int) -> None:
    """Each kind sets how often three texts come; beside them each comes by chance."""
    rng = np.random.default_rng(works)
    amounts = rng.poisson(4, (800, works)).repeat(3, axis=1).astype(float)
    counts = amounts + rng.poisson(0.5, amounts.shape)
    assert parallel_analysis(counts) == works
    alone = [parallel_analysis(rng.poisson(2, (800, 6)).astype(float)) for _ in range(20)]
    assert np.mean(alone) < 0.4, "texts that come by chance have none, but for 5% of the draws"
    model = SemPca(SemPcaConfig())
    often = [[text for text, times in enumerate(unit) for _ in range(int(times))] for unit in counts]
    eye = np.eye(9, dtype=np.float32)[: counts.shape[1]]
    flat = np.array([text for unit in often for text in unit], dtype=np.int32)
    facts = model.fit(Sessions.of(often, 9, vectors=eye, vector_ids=flat), Context())
    assert facts["components"] == works + 1, "and the mean, which is not taken away"


@pytest.mark.parametrize("cells", [1 << 26, 100, 0])  # of the least, no text is remembered beside the last
def test_retrieval_is_a_search_through_all_training_units(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logbench_semantic.retrieval.CELLS", cells)
    train, asked = units(1), units(2, unseen=0.2)
    model = Retrieval(RetrievalConfig())
    model.fit(sessions(train), Context())

    def cosine(one: int, other: int) -> float:
        a, b = VECTORS[one].astype(float), VECTORS[other].astype(float)
        return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    def distance(unit: list[int]) -> float:
        return 1 - max(
            np.mean([max(cosine(key, other) for other in known) for key in set(unit)]) for known in train
        )

    found = model.score(sessions(asked), Context())
    np.testing.assert_allclose(found.primary, [distance(unit) for unit in asked], atol=2e-5)
    without = [[key for key in unit if key < TEXTS] for unit in asked]
    np.testing.assert_allclose(found.ignoring, [distance(unit) if unit else 0.0 for unit in without], atol=2e-5)
    assert not model.score(sessions(train), Context()).primary.any()


def test_retrieval_says_that_it_leaves_out_training_units() -> None:
    notes: list[str] = []
    train = sessions([[0, 1], [0, 1], [2], [3, 2]])
    Retrieval(RetrievalConfig(max_train=3)).fit(train, Context(note=notes.append))
    assert not notes
    facts = Retrieval(RetrievalConfig(max_train=1)).fit(train, Context(note=notes.append))
    assert facts == {"units": 4, "distinct": 1, "texts": 2}
    assert notes == ["retrieval: compares with the 1 most frequent of 3 sets of texts of training (max_train)"]


def test_retrieval_keeps_frequent_units_up_to_a_number_of_texts() -> None:
    train = sessions([[0, 1], [2, 3, 4], [2, 3, 4], [5]])
    for most, kept in ((1, [[2, 3, 4]]), (4, [[2, 3, 4]]), (5, [[0, 1], [2, 3, 4]]), (6, None)):
        notes: list[str] = []
        bounded, whole = Retrieval(RetrievalConfig(max_texts=most)), Retrieval(RetrievalConfig())
        bounded.fit(train, Context(note=notes.append))
        whole.fit(train if kept is None else sessions(kept), Context())
        many = len(kept or [])
        said = f"retrieval: compares with the {many} most frequent of 3 sets of texts of training (max_texts)"
        assert notes == [said] * (kept is not None)
        scores = [model.score(train, Context()).primary for model in (bounded, whole)]
        np.testing.assert_array_equal(*scores)


def test_units_that_repeat_score_as_each_does_alone() -> None:
    """Equal texts of which one unit has seen some and another has not are not equal."""
    model, texts = Retrieval(RetrievalConfig()), [[0, 1], [2, 3], [0, 1], [0, 1], [2, 3], [1]]
    keys = [[0, 1], [2, 3], [0, TEXTS], [0, 1], [TEXTS + 1, 3], [TEXTS]]
    model.fit(sessions([[0, 2], [3]]), Context())

    def asked(some: slice) -> Sessions:
        flat = np.array([text for unit in texts[some] for text in unit], dtype=np.int32)
        return Sessions.of(keys[some], TEXTS, vectors=VECTORS, vector_ids=flat)

    found = model.score(asked(slice(None)), Context())
    for at in range(len(keys)):
        alone = model.score(asked(slice(at, at + 1)), Context())
        for name in ("primary", "event", "ignoring", "ignoring_event"):
            assert getattr(found, name)[at] == getattr(alone, name)[0], (at, name)
    assert found.ignoring[0] != found.ignoring[2], "the case that this is about"


MODELS = (SemPca(SemPcaConfig()), Retrieval(RetrievalConfig()))


@pytest.mark.parametrize("model", MODELS, ids=("sempca", "retrieval"))
def test_order_of_events_units_and_texts_changes_no_score(model: Any, tmp_path: Path) -> None:
    train, asked = units(1), units(2, unseen=0.1)
    model.fit(sessions(train), Context())
    usual = model.score(sessions(asked), Context())
    rng = np.random.default_rng(0)
    order = rng.permutation(len(asked))
    mixed = [[int(key) for key in rng.permutation(asked[at])] for at in order]
    np.testing.assert_allclose(
        model.score(sessions(mixed), Context()).primary, usual.primary[order], rtol=1e-9, atol=1e-12
    )
    model.save(tmp_path)
    again = type(model)(model.config)
    again.load(tmp_path)
    np.testing.assert_array_equal(again.score(sessions(asked), Context()).primary, usual.primary)
    backwards = type(model)(model.config)
    backwards.fit(sessions(train[::-1]), Context())
    np.testing.assert_allclose(
        backwards.score(sessions(asked), Context()).primary, usual.primary, rtol=1e-5, atol=1e-7
    )


def test_an_unseen_text_like_a_known_one_raises_no_alarm_by_itself() -> None:
    """Both models see what it says, not that it is new."""
    vectors = VECTORS.copy()
    vectors[TEXTS] = vectors[1]
    train, asked = units(1), [[0, 1, 1, 2], [0, 1, TEXTS, 2]]
    for model in MODELS:
        model.fit(sessions(train, vectors), Context())  # type: ignore[attr-defined]
        known, new = model.score(sessions(asked, vectors), Context()).primary  # type: ignore[attr-defined]
        assert new == pytest.approx(known, rel=1e-6)


def test_with_a_column_a_text_retrieval_cannot_read_an_unseen_one() -> None:
    """One-hot: it is like none, so that of the three texts of its unit two are found."""
    eye = np.eye(TEXTS + 2, TEXTS, dtype=np.float32)
    model = Retrieval(RetrievalConfig())
    model.fit(sessions([[0, 1, 2], [3, 4]], eye), Context())
    found = model.score(sessions([[0, 1, 2], [0, TEXTS, 2]], eye), Context()).primary
    np.testing.assert_allclose(found, [0, 1 / 3], atol=1e-6)


def test_texts_without_a_word_are_alike_and_units_without_events_score_zero() -> None:
    vectors = np.zeros((TEXTS + 2, 3), np.float32)
    vectors[:4] = np.eye(4, 3)
    model = Retrieval(RetrievalConfig())
    model.fit(sessions([[0, 4], [1, 2]], vectors), Context())
    found = model.score(sessions([[0, TEXTS], [], [5]], vectors), Context())
    assert found.primary.tolist() == [0.0, 0.0, 0.0] and found.event is not None
    assert [int(one) for one in found.event] == [0, -1, 0]


def test_distances_do_not_depend_on_how_many_units_are_scored_at_a_time() -> None:
    asked = units(3, count=40)
    for model in MODELS:
        model.fit(sessions(units(1)), Context())  # type: ignore[attr-defined]
        whole = model.score(sessions(asked), Context()).primary  # type: ignore[attr-defined]
        bounds = list(pairwise(range(0, 41, 8)))
        parts = [model.score(sessions(asked[a:b]), Context()).primary for a, b in bounds]  # type: ignore[attr-defined]
        np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-9, atol=1e-12)
