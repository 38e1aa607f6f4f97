"""Ranks and tests of many models against scipy, by hand, and against published figures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from logbench.studies.many_models import (
    against_best,
    brackets,
    corrected_t,
    critical_difference,
    friedman,
    holm,
    ranks,
)

VALUES = st.integers(3, 6).flatmap(
    lambda models: st.lists(
        st.lists(st.integers(0, 5), min_size=models, max_size=models), min_size=3, max_size=9
    ).map(lambda rows: np.array(rows, dtype=float))
)


@given(VALUES)
def test_friedmans_statistic_is_scipys_with_ties(values: np.ndarray) -> None:
    theirs = stats.friedmanchisquare(*values.T) if (np.ptp(values, axis=1) > 0).any() else None
    found = friedman(ranks(values))
    if theirs is None:
        assert found.chi_square == 0 and found.p == 1
    else:
        assert found.chi_square == pytest.approx(theirs.statistic)


def test_demsars_example() -> None:
    """Demšar 2006, section 3.2.2: 14 data sets, four models, mean ranks 3.143, 2.000, 2.893, 1.964."""
    sets, models = 14, 4
    means = np.array([3.143, 2.000, 2.893, 1.964])
    chi = 12 * sets / (models * (models + 1)) * ((means**2).sum() - models * (models + 1) ** 2 / 4)
    assert chi == pytest.approx(9.28, abs=0.01)
    assert (sets - 1) * chi / (sets * (models - 1) - chi) == pytest.approx(3.69, abs=0.01)
    assert critical_difference(4, 14) == pytest.approx(2.569 * np.sqrt(4 * 5 / (6 * 14)), abs=2e-3)
    assert critical_difference(4, 14, 0.10) == pytest.approx(1.12, abs=5e-3)


def test_ranks_share_ties_and_follow_the_direction() -> None:
    values = np.array([[0.9, 0.5, 0.9], [0.1, 0.2, 0.3]])
    assert ranks(values).tolist() == [[1.5, 3, 1.5], [3, 2, 1]]
    assert ranks(values, higher_is_better=False).tolist() == [[2.5, 1, 2.5], [1, 2, 3]]


def test_models_that_always_come_in_one_order_differ_and_equal_ones_do_not() -> None:
    agreed = friedman(ranks(np.tile([3.0, 2.0, 1.0], (5, 1))))
    assert agreed.chi_square == pytest.approx(10) and agreed.p == pytest.approx(stats.chi2.sf(10, 2))
    assert friedman(ranks(np.tile([3.0, 2.0, 1.0], (2, 1)))).p > 0.1, (
        "two data sets agree by chance once in six times"
    )
    assert friedman(ranks(np.ones((5, 3)))).p == 1
    with pytest.raises(ValueError, match="two data sets and two models"):
        friedman(np.ones((1, 3)))


def test_the_level_is_kept_where_models_are_alike() -> None:
    rng = np.random.default_rng(0)
    found = [friedman(ranks(rng.random((8, 4)))).p <= 0.05 for _ in range(1000)]
    assert 0.03 <= np.mean(found) <= 0.075


def by_hand(p: list[float]) -> list[bool]:
    """Holm's procedure as he wrote it: reject from the smallest on until one is not."""
    rejected = [False] * len(p)
    for step, at in enumerate(sorted(range(len(p)), key=lambda one: p[one])):
        if p[at] > 0.05 / (len(p) - step):
            break
        rejected[at] = True
    return rejected


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_holms_corrected_p_reject_what_his_procedure_rejects(p: list[float]) -> None:
    corrected = holm(p)
    near = [abs(value - 0.05) < 1e-12 for value in corrected]  # rounding decides
    assert [c <= 0.05 or n for c, n in zip(corrected, near, strict=True)] == [
        r or n for r, n in zip(by_hand(p), near, strict=True)
    ]
    assert all(one >= other and one <= 1 for one, other in zip(corrected, p, strict=True))


def test_no_p_is_corrected_to_none() -> None:
    assert holm([]) == []
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def test_p_against_the_best_is_the_normal_one_of_the_difference_of_ranks() -> None:
    ranked = ranks(np.array([[0.9, 0.8, 0.1]] * 6 + [[0.8, 0.9, 0.1]] * 4))
    assert ranked.mean(axis=0) == pytest.approx([1.4, 1.6, 3])
    z = (1.6 - 1.4) / np.sqrt(3 * 4 / 60)
    assert against_best(ranked)[:2] == pytest.approx([1, 2 * stats.norm.sf(z)])
    assert against_best(ranked)[2] < 0.001


def test_brackets_hold_what_is_near_and_no_part_of_another() -> None:
    assert brackets([1.2, 3.0, 1.5, 2.4], 1.0) == [(0, 2), (2, 3), (3, 1)]
    assert brackets([1.0, 1.1, 1.2], 1.0) == [(0, 1, 2)]
    assert brackets([1.0, 5.0], 1.0) == []


def test_the_corrected_t_without_overlap_is_students_and_grows_with_it() -> None:
    values = [0.1, 0.3, 0.2, 0.4]
    plain = corrected_t(values, 0.0)
    theirs = stats.ttest_1samp(values, 0)
    assert plain["p"] == pytest.approx(theirs.pvalue)
    low, high = theirs.confidence_interval()
    assert plain["half"] == pytest.approx((high - low) / 2)
    assert corrected_t(values, 1 / 9)["half"] == pytest.approx(plain["half"] * np.sqrt(4 * (1 / 4 + 1 / 9)))
    assert corrected_t([0.0, 0.0], 1.0) == {"mean": 0.0, "half": 0.0, "p": 1.0}
