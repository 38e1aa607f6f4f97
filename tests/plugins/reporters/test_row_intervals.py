"""Rows of reporters: means and intervals against scipy."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reporter_records import PROTOCOL, record
from scipy import stats

from logbench import mean_interval
from logbench.evaluation.run_intervals import limits, overlap
from logbench.studies.mean_row import mean_row
from logbench_reporters.flat import Flat
from logbench_reporters.rows import comparisons, model_rows, over, rule_rows
from logbench_reporters.table import Table


@given(st.lists(st.floats(0, 1), min_size=2, max_size=9))
def test_the_interval_is_that_of_scipy_within_the_range(values: list[float]) -> None:
    low, high = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=max(stats.sem(values), 1e-300))
    assert mean_interval("f1", values) == pytest.approx((max(0, low), min(1, high)), abs=1e-9)
    assert mean_interval("mcc", values) == pytest.approx((max(-1, low), min(1, high)), abs=1e-9)


def test_overlap_widens_by_tested_units_to_training_units() -> None:
    """Nadeau & Bengio, equation 9: the factor 1 / J becomes 1 / J + n_test / n_train."""
    values = [0.50, 0.51, 0.49, 0.52]
    half = record(split={"train": 6, "held_out": 2, "test": 4})
    plain, corrected = mean_interval("f1", values), mean_interval("f1", values, [half])
    assert plain is not None and corrected is not None
    assert np.ptp(corrected) == pytest.approx(np.ptp(plain) * np.sqrt(4 * (1 / 4 + 0.5)))
    assert overlap([half]) == 0.5


@pytest.mark.parametrize(
    ("metric", "least", "greatest"),
    [("auroc", 0, 1), ("auprc", 0, 1), ("mcc", -1, 1), ("budget.recall_at_k", 0, 1), ("incidents.range_f1", 0, 1),
     ("types.recall:a.b", 0, 1), ("costs.relative", -np.inf, np.inf), ("mine.lost_mcc", -np.inf, np.inf)],
)  # fmt: skip
def test_intervals_of_tables_and_studies_end_where_the_metric_ends(
    metric: str, least: float, greatest: float
) -> None:
    values = [-0.9, 0.1, 0.99]
    half = stats.t.ppf(0.975, 2) * np.std(values, ddof=1) / np.sqrt(3)
    mean = np.mean(values)
    expected = pytest.approx((max(mean - half, least), min(mean + half, greatest)))
    assert mean_interval(metric, values) == expected and limits(metric) == (least, greatest)
    owner, _, name = metric.rpartition(".") if ":" not in metric else ("types", ".", "recall:a.b")
    runs = [
        {
            "run_id": f"run {seed}", "error": None, "dataset": {"unit": "session"}, "trivial": {},
            "protocol": {"split_seed": seed, "train": "first", "duplicates": "all"},
            "metrics": {owner or "session": {"all": {name: value}, "distinct": {}}},
            "directions": {owner or "session": {name: "higher"}},
            "split": {"test": 1, "train": 1, "held_out": 0},
        }
        for seed, value in enumerate(values)
    ]  # fmt: skip
    row = mean_row(runs, metric)
    assert (row["low"], row["high"]) == expected


def test_one_value_has_no_interval() -> None:
    assert mean_interval("f1", [0.3]) is None


def test_what_did_not_vary_has_no_interval_and_the_table_says_so() -> None:
    """A deterministic model's seeds, and split seeds that only hold out other training units."""
    same = [record("a", 0.5, seed) for seed in range(5)]
    other = [record("b", value, seed) for seed, value in enumerate((0.1, 0.2, 0.3, 0.4, 0.5))]
    fixed, drawn = model_rows([*same, *other])
    assert not fixed.bounds and drawn.bounds
    assert "no ±: the same figures in every run: a" in Table("simple").report([*same, *other])
    splits = [record("a", value, split_seed=seed) for seed, value in enumerate((0.1, 0.9))]
    assert not model_rows(splits)[0].bounds and not over(model_rows(splits))
    text = Table("simple").report(splits)
    assert "±" not in text.replace("no ±", "") and "protocol.train=first another split seed only holds out" in text
    (row, *_) = json.loads(Flat("json").report(splits))
    assert row["interval"] is row["f1_low"] is row["f1_high"] is None


@pytest.mark.parametrize("drawn", [{"train": "random_ratio"}, {"contamination": 0.1}, {"label_noise": 0.2}])
def test_split_seeds_that_draw_what_trains_have_an_interval(drawn: dict[str, Any]) -> None:
    splits = [record("a", value, split_seed=seed) for seed, value in enumerate((0.4, 0.6, 0.5))]
    for one in splits:
        one["protocol"] |= drawn
    (row,) = model_rows(splits)
    assert row.bounds["f1"] == pytest.approx(mean_interval("f1", [0.4, 0.6, 0.5], splits))
    assert "corrected for what they share" in over([row])


def test_an_interval_at_the_end_of_the_range_is_cut_there() -> None:
    values = (0.9, 0.95, 1.0)
    text = Table("simple").report([record(f1=value, seed=seed) for seed, value in enumerate(values)])
    assert "0.950 -.124+.050" in text
    assert "0.500 ±.124" in Table("simple").report([record(f1=v - 0.45, seed=s) for s, v in enumerate(values)])


def test_seeds_of_a_model_are_one_row_with_an_interval_for_f1_precision_and_recall() -> None:
    values = [0.2, 0.4, 0.9]
    (row,) = model_rows([record(f1=value, seed=seed) for seed, value in enumerate(values)])
    assert (row.runs, row.seeds, row.splits) == (3, (0, 1, 2), (0,))
    assert row.metrics["f1"] == pytest.approx(0.5) and row.metrics["mcc"] == pytest.approx(0.5)
    assert row.other == pytest.approx(0.05)
    assert set(row.bounds) == {"f1", "precision", "recall"}
    half = stats.t.ppf(0.975, 2) * np.std(values, ddof=1) / np.sqrt(3)
    assert row.bounds["f1"] == pytest.approx((max(0, 0.5 - half), min(1, 0.5 + half)))
    assert over([row]) == "3 seeds"


def test_over_splits_the_seeds_of_a_split_are_no_runs_of_their_own() -> None:
    """Two splits of two seeds are two values, not four: the seeds of a split share its luck."""
    values = {(0, 0): 0.1, (0, 1): 0.3, (1, 0): 0.5, (1, 1): 0.9}
    (row,) = model_rows(
        at_random([record(f1=value, split_seed=split, seed=seed) for (split, seed), value in values.items()])
    )
    assert row.bounds["f1"] == pytest.approx(mean_interval("f1", [0.2, 0.7], [record()]))
    assert over([row]).startswith("2 splits, each the mean of 2 seeds")
    runs = at_random([record(split_seed=0), record(split_seed=0, seed=1), record(split_seed=1, f1=0.9)])
    rules = rule_rows(runs)
    assert [rule.metrics["f1"] for rule in rules] == pytest.approx([0.7, 0.7])
    assert rules[0].bounds["f1"] == pytest.approx(mean_interval("f1", [0.5, 0.9], [record()]))


def at_random(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same under a split whose seed draws what trains."""
    return [{**one, "protocol": {**one["protocol"], "train": "random"}} for one in records]


def test_split_seeds_are_one_comparison_and_protocols_are_not() -> None:
    other = record(protocol={**PROTOCOL, "short": "drop", "split_seed": 0, "hash": "x"})
    first, second = comparisons([record(split_seed=0), other, record(split_seed=1)])
    assert [one["protocol"]["split_seed"] for one in first] == [0, 1] and second == [other]


def test_an_undefined_metric_is_not_averaged_away() -> None:
    undefined = record(seed=1)
    undefined["metrics"]["session"]["all"]["f1"] = None
    (row,) = model_rows([record(seed=0), undefined])
    assert row.metrics["f1"] is None and "f1" not in row.bounds and row.metrics["recall"] == 0.5


def test_the_metric_that_ranks_has_an_interval_beyond_0_and_1() -> None:
    values, runs = (50.0, 70.0, 60.0), []
    for seed, value in enumerate(values):
        one = record(f1=0.1 * seed, seed=seed)
        runs.append({**one, "metrics": {**one["metrics"], "cost": {"all": {"cost": value}, "distinct": {}}}})
    half = stats.t.ppf(0.975, 2) * stats.sem(values)
    assert f"60.00 ±{half:.2f}" in Table("simple", metric="cost.cost").report(runs)
    (row, *_) = json.loads(Flat("json", metric="cost.cost").report(runs))
    assert (row["cost.cost_low"], row["cost.cost_high"]) == pytest.approx((60 - half, 60 + half))
    auprc = next(line for line in Table("simple", metric="auprc").report(runs).splitlines() if "(3 seeds)" in line)
    assert auprc.count("±") + auprc.count("+") == 4
