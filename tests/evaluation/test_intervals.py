"""Intervals: how often they hold in small simulations, their parts against independent computation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import populations
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as t_distribution
from sklearn.metrics import f1_score, matthews_corrcoef, precision_score, recall_score

from logbench.evaluation import intervals
from logbench.evaluation.cells import METRICS, cells, clustered, effective, kish, slopes
from logbench.evaluation.intervals import interval, of_clusters, of_pairs, paired, unseen
from logbench.evaluation.run_intervals import limits

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


CELLS = st.lists(st.integers(1, 50), min_size=4, max_size=4)


@pytest.mark.parametrize("metric", METRICS)
@given(CELLS)
def test_slopes_are_those_of_small_steps(metric: str, totals: list[int]) -> None:
    at = np.array(totals, dtype=float)
    steps = np.eye(4) * 1e-5
    by_steps = [(METRICS[metric](at + step) - METRICS[metric](at - step)) / 2e-5 for step in steps]
    assert slopes(metric, at) == pytest.approx(np.array(by_steps), abs=1e-8)


def test_the_effective_number_is_that_of_equal_clusters_and_falls_with_skew() -> None:
    assert kish(np.full(7, 3.0)) == pytest.approx(7) and kish(np.zeros(3)) == 0
    assert kish(np.array([1000.0, *[1.0] * 100])) == pytest.approx(1100**2 / (1000**2 + 100))
    misses_and_hits = np.diag([4.0, 1.0, 1.0, 4.0]).repeat(5, axis=0)
    assert effective("recall", misses_and_hits) == pytest.approx(10), "alarms on normal units are not in it"
    assert effective("precision", misses_and_hits) == pytest.approx(25**2 / (5 * 16 + 5))
    assert effective("mcc", misses_and_hits) == pytest.approx(10)


@given(st.integers(2, 400), st.floats(1, 1e6))
def test_equal_clusters_leave_room_for_one_more(size: int, weight: float) -> None:
    assert unseen(np.full(size, weight)) == pytest.approx(weight)


def test_room_grows_with_the_tail_and_shrinks_with_the_number() -> None:
    """Of draws of a Pareto tail of index a those above the heaviest hold a / (a − 1) times its weight, by its
    formula; of the tail here 1 / a is .25, and .25 · (1 + 1.645 / sqrt(50)) at the limit that counts."""
    even = (np.arange(1, 2501) / 2500.0) ** -0.25  # the quantiles of that tail
    assert unseen(even) == pytest.approx(even.max() / (1 - 0.25 * 1.2326), rel=0.05)
    without_mean = np.arange(1, 2501) ** -1.5 * 2500**1.5
    assert unseen(without_mean) == pytest.approx(without_mean.max() * intervals.ROOM / 50)
    assert unseen(np.zeros(5)) == 0


def test_recall_of_single_units_is_the_logit_interval_with_one_more_unit_each_way() -> None:
    """40 of 50 anomalies found: by hand, from the textbook variance of a proportion's logit, 1/hits + 1/misses."""
    units = frame([1] * 50 + [0] * 500, [True] * 40 + [False] * 10 + [False] * 500)
    found = interval(units, "recall")
    reach = t_distribution.ppf(0.975, 49)

    def limit(hits: int, misses: int, sign: int) -> float:
        logit = np.log(hits / misses) + sign * reach * np.sqrt(1 / hits + 1 / misses)
        return float(1 / (1 + np.exp(-logit)))

    assert found.value == pytest.approx(0.8) and found.effective == pytest.approx(50)
    assert found.low == pytest.approx(limit(40, 11, -1), abs=1e-3)
    assert found.high == pytest.approx(limit(41, 10, 1), abs=1e-3)


@pytest.mark.parametrize("metric", METRICS)
@given(UNITS)
def test_limits_surround_the_value_within_the_range(metric: str, units: list[tuple[bool, bool, int]]) -> None:
    labels, verdicts, weights = map(list, zip(*units, strict=True))
    data = frame(labels, verdicts, weight=weights)
    found = interval(data, metric)
    least, greatest = limits(metric)
    if found.low is None or found.high is None:
        assert found.effective < intervals.FEWEST and "no interval" in found.why_none
    else:
        assert least <= found.low <= found.value <= found.high <= greatest and not found.why_none
    apart = paired(data, data.with_columns(verdict=~pl.col("verdict")), metric)
    if apart.low is not None and apart.high is not None:
        assert least - greatest <= apart.low <= apart.value <= apart.high <= greatest - least


def test_units_of_one_sequence_are_one_cluster() -> None:
    """A hundred copies of ten sequences say as much as these ten."""
    rng = np.random.default_rng(3)
    labels, verdicts = np.arange(10) < 6, rng.random(10) < 0.5
    once = frame(labels, verdicts)
    copied = frame(labels.repeat(100), verdicts.repeat(100), np.arange(10).repeat(100))
    found, expected = interval(copied, "f1"), interval(once, "f1")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    single = interval(copied, "f1", by_sequence=False)
    assert found.low is not None and found.high is not None and single.low is not None and single.high is not None
    assert single.high - single.low < 0.5 * (found.high - found.low)


def test_one_cluster_that_holds_almost_all_leaves_nothing_to_say() -> None:
    units = frame([1] * 1000 + [0] * 1000, [True] * 1000 + [False] * 1000, [0] * 999 + [1] + [2] * 1000)
    found = interval(units, "recall")
    assert found.low is found.high is None and found.effective < 1.01
    assert "2 of equal weight" not in found.why_none and "are worth 1.0 of equal" in found.why_none


def test_what_normal_units_do_not_move_has_no_width() -> None:
    rng = np.random.default_rng(6)
    labels = rng.random(400) < 0.3
    units = frame(labels, labels ^ (rng.random(400) < 0.1))
    found = interval(units, "recall", only="normal", by_sequence=False)
    assert (found.low, found.high) == (pytest.approx(found.value), pytest.approx(found.value))
    precise = interval(units, "precision", only="normal", by_sequence=False)
    false = int((units["verdict"] & (units["label"] == 0)).sum())
    true = int((units["verdict"] & (units["label"] == 1)).sum())
    deviation = np.sqrt(false * (1 - false / int((~labels).sum())))
    assert precise.low == pytest.approx(true / (true + false + 1.96 * deviation), abs=0.02)
    assert precise.high == pytest.approx(true / (true + false - 1.96 * deviation), abs=0.02)


def percentile(sample: Any, metric: str, rng: np.random.Generator) -> tuple[float, float]:
    """The plain bootstrap, as a rival that must lose."""
    drawn = rng.multinomial(len(sample), np.full(len(sample), 1 / len(sample)), size=300) @ sample
    low, high = np.percentile(METRICS[metric](drawn), [2.5, 97.5])
    return float(low), float(high)


@pytest.mark.parametrize("metric", ["f1", "recall", "mcc"])
def test_intervals_of_skewed_clusters_hold_where_resampling_does_not(metric: str) -> None:
    """Pareto multiplicities of index 1.2, verdicts wrong on heavy and light sequences alike."""
    held, resampled, given = 0, 0, 0
    for seed in range(6):
        normal, anomalous = populations.skewed(4000, seed)
        alarm = populations.random_verdicts(anomalous, 0.8, 0.05, seed)
        population = populations.cells_of(normal, anomalous, alarm)
        truth = float(METRICS[metric](population.sum(axis=0)))
        rng = np.random.default_rng(seed)
        for sample in populations.samples(population, 500, 40, seed):
            found = of_clusters(sample, metric)
            if found.low is None or found.high is None:
                continue
            given += 1
            held += found.low <= truth <= found.high
            low, high = percentile(sample, metric, rng)
            resampled += low <= truth <= high
    assert given >= 200 and held / given >= 0.92
    assert resampled / given < 0.88, "else the populations are no challenge"


@pytest.mark.parametrize("metric", METRICS)
def test_intervals_of_single_units_are_not_needlessly_wide(metric: str) -> None:
    """Without skew coverage is close to what is claimed, and the difference of different models is found."""
    rng = np.random.default_rng(1)
    chances = np.array([0.09, 0.01, 0.89, 0.01])
    truth = float(METRICS[metric](chances))
    samples = [np.eye(4).repeat(rng.multinomial(1000, chances), axis=0) for _ in range(400)]
    found = [of_clusters(sample, metric) for sample in samples]
    held = np.mean([one.low is not None and one.low <= truth <= (one.high or 0) for one in found])
    assert 0.94 <= held <= 0.99
    good, bad = [1, 0, 0, 0, 1, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 1]
    calm = [0, 0, 1, 0, 0, 0, 1, 0]
    apart = of_pairs(np.array([good] * 60 + [bad] * 40 + [calm] * 900, dtype=float), "recall")
    assert apart.value == pytest.approx(-0.4) and apart.high is not None and apart.high < -0.25


def test_differences_of_real_multiplicities_hold(shared_data: Path) -> None:
    verdicts, normal, anomalous = populations.archive(shared_data / "deeplog_archive")
    runs = {name: populations.cells_of(normal, anomalous, alarm) for name, alarm in verdicts.items()}
    both = np.hstack([runs["unseen key or short"], runs["2-gram"]])
    truth = float(METRICS["f1"](both.sum(axis=0)[4:]) - METRICS["f1"](both.sum(axis=0)[:4]))
    found = [of_pairs(sample, "f1") for sample in populations.samples(both, 2000, 60, 3)]
    assert np.mean([one.low is not None and one.low <= truth <= (one.high or 0) for one in found]) >= 0.94


def test_frames_and_clusters_give_one_interval() -> None:
    rng = np.random.default_rng(9)
    labels, sequence = np.arange(300) % 3 == 0, np.arange(300) // 6 * 3 + np.arange(300) % 3
    first, other = (frame(labels, labels ^ (rng.random(300) < wrong), sequence) for wrong in (0.1, 0.3))
    clusters = clustered(np.hstack([cells(first), cells(other)]), first["sequence"])
    assert paired(first, other, "f1") == of_pairs(clusters, "f1") and len(clusters) == 150
    assert interval(first, "f1") == of_clusters(clusters[:, :4], "f1")
