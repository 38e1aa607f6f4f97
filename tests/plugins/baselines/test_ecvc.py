"""ECVC against plain loops over dictionaries of counts."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from baseline_units import KEYS, Unit, Units, both, brief, scored, stripped

from logbench import Context, Sessions
from logbench_baselines import EcvcConfig
from logbench_baselines import ecvc as ecvc_file
from logbench_baselines.common import most_frequent
from logbench_baselines.ecvc import Ecvc


def weight(train: Units, key: int, idf: bool) -> float:
    having = sum(key in unit for unit in train)
    return math.log10((1 + len(train)) / having) if idf and having else 1.0


def ecvc(train: Units, unit: Unit, idf: bool) -> float:
    """The definition, over dictionaries; unseen keys stay apart."""

    def share(of: Unit) -> dict[int, float]:
        return {key: count / len(of) for key, count in Counter(of).items()}

    def distance(a: dict[int, float], b: dict[int, float]) -> float:
        pairs = [(a.get(k, 0) * weight(train, k, idf), b.get(k, 0) * weight(train, k, idf)) for k in a | b]
        return sum(abs(x - y) for x, y in pairs) / sum(max(x, y) for x, y in pairs)

    return min(distance(share(unit), share(other)) for other in train)


@both
@brief
@pytest.mark.parametrize("idf", [False, True])
def test_ecvc_is_the_least_distance_of_count_shares(idf: bool, train: Units, test: Units) -> None:
    scores = scored(Ecvc(EcvcConfig(), idf), train, test)
    assert scores.primary == pytest.approx([ecvc(train, unit, idf) for unit in test], abs=1e-12)
    left = [ecvc(train, stripped(unit), idf) if stripped(unit) else 0 for unit in test]
    assert scores.ignoring == pytest.approx(left, abs=1e-12)


@pytest.mark.parametrize("idf", [False, True])
@pytest.mark.parametrize("common", [0.0, 0.2, 1.0])
def test_lists_and_table_of_ecvc_find_the_nearest_vector_of_all(
    idf: bool, common: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys of which some are in most units, some in few and some in none that train."""
    rng = np.random.default_rng(8)
    rows = [[*rng.integers(0, 4, 5), *rng.integers(4, 85, rng.integers(0, 6))] for _ in range(160)]
    train, test = rows[:80], [*([*row, 85] for row in rows[80:90]), *rows[90:], *rows[:9]]
    monkeypatch.setattr(ecvc_file, "COMMON", common)
    model = Ecvc(EcvcConfig(), idf)
    model.fit(Sessions.of(train, 85), Context())
    scores = model.score(Sessions.of(test, 85), Context())
    assert scores.primary == pytest.approx([ecvc(train, unit, idf) for unit in test], abs=1e-12)
    assert (scores.primary[-9:] == 0).all() and scores.event is not None and (scores.event[-9:] == -1).all()


def test_few_differences_are_summed_as_scipy_sums_many(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    for shape in [(0, 3, 5), (7, 1, 0), (1, 1, 1), (40, 30, 12), (9, 60, 33)]:
        rows, known = rng.random((shape[0], shape[2])), rng.random((shape[1], shape[2])) ** 7 * 1e4
        few = ecvc_file.city_blocks(rows, known)
        with monkeypatch.context() as patched:
            patched.setattr(ecvc_file, "LOADED", -1)
            assert np.array_equal(few, ecvc_file.city_blocks(rows, known))


def test_ecvc_looks_at_vectors_that_share_a_rare_key_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """2,000 units of 40 keys of 20,000: what is added up grows with what units share, not with keys or units."""
    rng, added = np.random.default_rng(9), []
    rows = [rng.integers(0, 20_000, 40).tolist() for _ in range(2_000)]
    minimum = np.minimum
    monkeypatch.setattr(ecvc_file.np, "minimum", lambda a, b: added.append(len(a)) or minimum(a, b))
    model = Ecvc(EcvcConfig(), False)
    model.fit(Sessions.of(rows[:1_000], 20_000), Context())
    model.score(Sessions.of(rows[1_000:], 20_000), Context())
    shared = sum(len(set(a) & set(b)) for a in rows[:100] for b in rows[1_000:1_100]) * 100
    assert 0 < sum(added) < 3 * shared


def test_of_units_that_are_equally_frequent_some_are_kept_from_all_over() -> None:
    """Else the first keys alone would stand for all; those that are more frequent are kept in any case."""
    few = 10
    units = Sessions.of([[key] for key in range(100)])
    counts = np.where(np.arange(100) == 37, 5, 1)
    kept = most_frequent(units, counts, few)
    assert len(kept) == few and 37 in kept and kept[-1] > 80 and (np.diff(kept) > 0).all()


def test_ecvc_names_the_last_event_of_the_key_in_excess() -> None:
    scores = scored(Ecvc(EcvcConfig(), False), [(0, 1, 2, 3)], [(0, 1, 2, 3), (0, 1, 1, 1, 2), (5, 0, 1, 2)])
    assert scores.event is not None and scores.event.tolist() == [-1, 3, 0]


def test_ecvc_keeps_the_most_frequent_vectors_and_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    train = [(0, 1), (2, 2), (1, 0), (2, 2), (2, 2), (3,)]
    model = Ecvc(EcvcConfig(max_train=2), False)
    assert model.fit(Sessions.of(train, KEYS), Context()) == {"train_distinct": 3, "train_used": 2}
    test = Sessions.of([(0, 1), (2,), (3,), (0, 2), (3, 3, 1)], KEYS)
    whole = model.score(test, Context()).primary
    assert whole[:3].tolist() == [0, 0, 1]
    monkeypatch.setattr("logbench_baselines.ecvc.CELLS", 1)
    assert model.score(test, Context()).primary.tolist() == whole.tolist()


def test_equal_distances_of_ecvc_are_equal() -> None:
    """Both are 3/4 away, where the sums of their parts round differently: no threshold comes between them."""
    model = Ecvc(EcvcConfig(), False)
    model.fit(Sessions.of([[0, 0, 1, 1, 2]], KEYS), Context())
    found = model.score(Sessions.of([[1], [1, 2, 3, 3, 3]], KEYS), Context()).primary
    assert found.tolist() == [0.75, 0.75]
