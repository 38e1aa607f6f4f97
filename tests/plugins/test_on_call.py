"""Metrics of a person on call, against computations of every order, every second and every pair of ranges."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss

from logbench.components.configured import configured
from logbench.components.registry import Registry
from logbench.evaluation.unit_metrics import metrics_of

DAY = 86_400_000_000
SECOND = 1_000_000
Row = tuple[int, float, bool]
ROWS = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([-math.inf, 0.0, 0.25, 0.5, 1.0, math.inf]), st.booleans()),
    min_size=1,
    max_size=6,
)


def evaluator(name: str, **options: Any) -> Any:
    return configured(Registry().get("evaluator", name), options).build()


def frame(rows: list[Row], apart: int = DAY, lasts: int = 0) -> pl.DataFrame:
    """Units that begin `apart` from each other."""
    label, score, verdict = zip(*rows, strict=True)
    begin = np.arange(len(rows)) * apart
    return pl.DataFrame(
        {
            "label": pl.Series(label, dtype=pl.Int8), "score": pl.Series(score, dtype=pl.Float64),
            "verdict": verdict, "weight": [1.0] * len(rows), "first_time": begin, "last_time": begin + lasts,
        }
    )  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(ROWS, st.integers(1, 6))
def test_k_highest_scores_are_the_mean_over_all_orders_of_equal_ones(rows: list[Row], k: int) -> None:
    found = evaluator("budget", k=k).evaluate(frame(rows))
    orders = [
        order
        for order in itertools.permutations(range(len(rows)))
        if all(rows[a][1] >= rows[b][1] for a, b in itertools.pairwise(order))
    ]
    if k > len(rows):
        assert found["precision_at_k"] is None
        return
    hits = np.mean([sum(rows[place][0] for place in order[:k]) for order in orders])
    assert found["precision_at_k"] == pytest.approx(hits / k)
    anomalies = sum(label for label, _, _ in rows)
    assert found["recall_at_k"] == (pytest.approx(hits / anomalies) if anomalies else None)


@settings(max_examples=30, deadline=None)
@given(ROWS, st.sampled_from([0.3, 1.0, 2.0, 9.0]))
def test_a_budget_takes_the_lowest_threshold_that_keeps_to_it(rows: list[Row], a_day: float) -> None:
    units = frame(rows, apart=DAY // 2, lasts=DAY // 4)
    days = 0.5 * (len(rows) - 1) + 0.25
    found = evaluator("budget", a_day=a_day).evaluate(units)
    assert found["days"] == pytest.approx(days)
    assert found["alarms_a_day"] == pytest.approx(sum(verdict for *_, verdict in rows) / days)
    alarming = max(
        (
            [label for label, score, _ in rows if score >= threshold]
            for threshold in {score for _, score, _ in rows}
            if sum(score >= threshold for _, score, _ in rows) <= a_day * days
        ),
        key=len,
        default=[],
    )
    anomalies = sum(label for label, _, _ in rows)
    assert found["recall_at_budget"] == (pytest.approx(sum(alarming) / anomalies) if anomalies else None)
    assert found["precision_at_budget"] == (pytest.approx(np.mean(alarming)) if alarming else None)


@settings(max_examples=30, deadline=None)
@given(ROWS, st.sampled_from([(1.0, 50.0), (3.0, 0.0), (0.0, 2.0), (2.0, 1.0)]))
def test_costs_are_sums_over_units(rows: list[Row], prices: tuple[float, float]) -> None:
    fp, fn = prices

    def price(alarms: list[bool]) -> float:
        return sum(
            fp * (not label and alarm) + fn * (label and not alarm)
            for (label, _, _), alarm in zip(rows, alarms, strict=True)
        )

    found = evaluator("costs", fp=fp, fn=fn).evaluate(frame(rows))
    own = price([verdict for *_, verdict in rows])
    none = min(price([False] * len(rows)), price([True] * len(rows)))
    thresholds = [math.nan, *{score for _, score, _ in rows}]
    best = min(price([score >= threshold for _, score, _ in rows]) for threshold in thresholds)
    assert found["per_unit"] == pytest.approx(own / len(rows))
    assert found["relative"] == (pytest.approx(own / none) if none else None)
    assert found["oracle"] == (pytest.approx(best / none) if none else None)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1), st.just(False)), min_size=1, max_size=30))
def test_calibration_is_that_of_the_definition(rows: list[Row]) -> None:
    found = evaluator("calibration", bins=5).evaluate(frame(rows))
    label, score = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    assert found["brier"] == pytest.approx(brier_score_loss(label, score, pos_label=1))
    share = label.mean()
    useless = float(((share - label) ** 2).mean())
    assert found["skill"] == (pytest.approx(1 - found["brier"] / useless) if useless else None)
    bins = [[i for i, value in enumerate(score) if min(int(value * 5), 4) == number] for number in range(5)]
    gaps = [len(some) * abs(label[some].mean() - score[some].mean()) for some in bins if some]
    assert found["ece"] == pytest.approx(sum(gaps) / len(rows))


def test_scores_beyond_one_are_no_probabilities() -> None:
    assert set(evaluator("calibration").evaluate(frame([(1, 1.5, True)])).values()) == {None}


def runs(mask: list[bool]) -> list[set[int]]:
    """Sets of neighbouring places that are true."""
    found: list[set[int]] = []
    for place, value in enumerate(mask):
        if value and place and mask[place - 1]:
            found[-1].add(place)
        elif value:
            found.append({place})
    return found


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.just(0.0), st.booleans()), min_size=1, max_size=14),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.sampled_from(["one", "reciprocal"]),
)
def test_ranges_are_as_tatbul_defines_them(rows: list[Row], existence: float, fragments: str) -> None:
    real, alarms = runs([label == 1 for label, *_ in rows]), runs([verdict for *_, verdict in rows])

    def overlap(one: set[int], others: list[set[int]]) -> float:
        pieces = sum(bool(one & other) for other in others)
        factor = 1.0 if fragments == "one" or pieces <= 1 else 1 / pieces
        return factor * sum(len(one & other) / len(one) for other in others)

    found = evaluator("incidents", existence=existence, fragments=fragments).evaluate(frame(rows))
    hit = [any(one & other for other in alarms) for one in real]
    recall = [
        existence * any_of + (1 - existence) * overlap(one, alarms) for one, any_of in zip(real, hit, strict=True)
    ]
    precision = [overlap(one, real) for one in alarms]
    assert (found["incidents"], found["found"], found["alarms"]) == (len(real), sum(hit), len(alarms))
    assert found["false"] == sum(not any(one & other for other in real) for one in alarms)
    assert found["range_recall"] == (pytest.approx(np.mean(recall)) if real else None)
    assert found["range_precision"] == (pytest.approx(np.mean(precision)) if alarms else None)
    assert found["incident_recall"] == (pytest.approx(np.mean(hit)) if real else None)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9), st.integers(0, 5)), min_size=1, max_size=10),
    st.integers(0, 3),
)
def test_a_gap_joins_what_is_no_longer_silent(rows: list[tuple[int, int, int]], gap: int) -> None:
    """Second by second: an incident ends where more than `gap` seconds are of no anomalous unit."""
    units = pl.DataFrame(
        {
            "label": pl.Series([label for label, *_ in rows], dtype=pl.Int8), "score": [0.0] * len(rows),
            "verdict": [False] * len(rows), "weight": [1.0] * len(rows),
            "first_time": [begin * SECOND for _, begin, _ in rows],
            "last_time": [(begin + lasts) * SECOND for _, begin, lasts in rows],
        }
    )  # fmt: skip
    busy = sorted({second for label, begin, lasts in rows if label for second in range(begin, begin + lasts + 1)})
    expected = sum(later - earlier > gap for earlier, later in itertools.pairwise(busy)) + bool(busy)
    # Whole seconds: units a second apart are not silent for longer than 0 s only if they touch.
    expected = (
        expected
        if gap
        else sum(later - earlier > 1 or not _joined(rows, earlier) for earlier, later in itertools.pairwise(busy))
        + bool(busy)
    )
    assert evaluator("incidents", gap=gap).evaluate(units)["incidents"] == expected


def _joined(rows: list[tuple[int, int, int]], second: int) -> bool:
    """Whether a unit covers both this second and the next."""
    return any(label and begin <= second < begin + lasts for label, begin, lasts in rows)


def test_point_adjustment_stands_beside_what_random_alarms_get_and_is_cautioned() -> None:
    chance = np.random.default_rng(0)
    label = (np.arange(4000) // 200 % 4 == 3).astype(int)
    verdict = chance.random(4000) < 0.05
    rows = [(int(one), 0.0, bool(alarm)) for one, alarm in zip(label, verdict, strict=True)]
    asked = evaluator("incidents", point_adjusted=True)
    found = asked.evaluate(frame(rows))
    # Every incident of 200 units has a random alarm: the adjusted figure is high, and no more than luck gives.
    assert found["f1_units"] < 0.12 and found["f1_point_adjusted"] > 0.9
    assert found["f1_point_adjusted"] == pytest.approx(found["f1_point_adjusted_random"], abs=0.01)
    assert "f1_point_adjusted" not in asked.directions
    assert "random" in asked.caution and evaluator("incidents").caution is None


@pytest.mark.parametrize("name", ["budget", "incidents"])
def test_metrics_of_time_are_those_of_all_units_and_none_without_times(name: str) -> None:
    rows: list[Row] = [(1, 2.0, True), (0, 1.0, False), (0, 1.0, True)]
    units = frame(rows).with_columns(
        sequence=pl.Series([0, 1, 1], dtype=pl.UInt32), events=pl.lit(1), repeats=pl.lit(False)
    )
    found = metrics_of(units, {name: evaluator(name, **({"k": 2} if name == "budget" else {}))}, "session", False)
    assert found[name]["all"] == found[name]["distinct"] and "unseen_sequences" not in found[name]
    untimed = units.with_columns(first_time=pl.lit(None, pl.Int64), last_time=pl.lit(None, pl.Int64))
    later = metrics_of(untimed, {name: evaluator(name)}, "session", False)[name]["all"]
    assert later["alarms_a_day" if name == "budget" else "incidents"] is None
