"""Levels, curves and thresholds of the report page against independent numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reported_runs import SMALL
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score

from logbench.api.plan import Plan
from logbench.components.registry import Registry
from logbench.running.resolve import resolve
from logbench.running.runtime import Runtime
from logbench.studies.protocol_grid import CHOICES, variants
from logbench_reporters.report.figures.curves import Curve, precision_recall, roc
from logbench_reporters.report.figures.threshold import explored, threshold
from logbench_reporters.report.levels import Levels, binned, labels_of
from logbench_reporters.report.study import Study

SCORES = st.sampled_from([0.0, 0.5, 1.0, 2.0, 7.5, float("inf"), float("-inf")])


@given(
    st.lists(st.tuples(SCORES, st.booleans(), st.sampled_from([1.0, 2.5]), st.booleans()), min_size=1, max_size=30)
)
def test_a_level_decides_as_a_loop_over_the_units_does(rows: list[tuple[float, bool, float, bool]]) -> None:
    columns = ("score", "label", "weight", "flagged")
    units = pl.DataFrame(rows, schema=columns, orient="row").with_columns(label=pl.col("label").cast(pl.Int8))
    levels = Levels.of(units)
    for at, value in enumerate(levels.values):
        alarms = [(label, weight) for score, label, weight, flagged in rows if score > value or flagged]
        tp = sum(weight for label, weight in alarms if label)
        assert levels.tp[at] == pytest.approx(tp)
        assert levels.fp[at] == pytest.approx(sum(weight for _, weight in alarms) - tp)
        actual, verdict = [row[1] for row in rows], [row[0] > value or row[3] for row in rows]
        assert levels.f1[at] == pytest.approx(
            f1_score(actual, verdict, sample_weight=[row[2] for row in rows], zero_division=0)
        )
    assert max(levels.f1) == levels.f1[levels.at(levels.oracle)]


@given(st.lists(SCORES, min_size=1, max_size=40), st.lists(SCORES, max_size=40))
def test_bars_hold_every_unit_once(scores: list[float], others: list[float]) -> None:
    levels = sorted(set(scores))
    given_scores = pl.Series(others, dtype=pl.Float64)
    counts = binned(given_scores, pl.Series([1.0] * len(others), dtype=pl.Float64), levels)
    assert sum(counts) == len(others)
    for at, level in enumerate(levels[:-1]):
        below = [score for score in others if score <= level]
        assert sum(counts[: at + 1]) == len(below)


@given(st.lists(SCORES | st.floats(-5, 5), min_size=1, max_size=300), st.integers(4, 40))
def test_thinned_levels_keep_ends_marks_and_figures(scores: list[float], most: int) -> None:
    units = pl.DataFrame(
        {"score": scores, "label": [n % 2 for n in range(len(scores))], "weight": 1.0, "flagged": False}
    )
    whole = Levels.of(units)
    thin = whole.thinned(most, [whole.oracle])
    assert len(thin.values) <= most + 4 or len(whole.values) <= most
    assert {whole.values[0], whole.values[-1], whole.oracle} <= set(thin.values)
    for value, tp, fp in zip(thin.values, thin.tp, thin.fp, strict=True):
        at = whole.at(value)
        assert (whole.values[at], whole.tp[at], whole.fp[at]) == (value, tp, fp)


def test_texts_of_levels_tell_them_apart() -> None:
    assert labels_of([-np.inf, 0.1234, 2, np.inf]) == ["−∞", "0.123", "2", "∞"]
    close = [1.0001, 1.0002, 1.00020000001]
    assert len(set(labels_of(close))) == 3


def test_the_level_in_force_has_the_figures_of_the_record(study: Study) -> None:
    for record in study.firsts:
        units, scores = study.units(record), study.scores(record)
        assert units is not None and scores is not None
        one = explored(record["model"], record["threshold"], units, scores)
        known = record["metrics"]["session"]["all"]
        assert one.levels.f1[one.start] == pytest.approx(known["f1"])
        assert (one.levels.tp[one.start], one.levels.fp[one.start]) == (known["tp"], known["fp"])
        assert sum(one.bins["normal"]) + sum(one.bins["anomaly"]) == len(units)
        label, score = units["label"].to_numpy(), units["score"].to_numpy()
        expected = max(
            f1_score(label, (score > t) | units["flagged"].to_numpy()) for t in [-np.inf, *np.unique(score)]
        )
        assert max(one.levels.f1) == pytest.approx(expected)


@pytest.mark.parametrize("below", [-1e9, -np.inf])
def test_a_threshold_below_every_score_lets_everything_alarm(study: Study, below: float) -> None:
    record = next(one for one in study.firsts if one["model"] == "pca")
    units, scores = study.units(record), study.scores(record)
    assert units is not None and scores is not None
    one = explored("pca", {"source": "fixed", "exact": str(below)}, units, scores)
    label = units["label"].to_numpy()
    assert (one.levels.tp[one.start], one.levels.fp[one.start]) == (label.sum(), (1 - label).sum())
    assert one.levels.f1[one.start] == pytest.approx(f1_score(label, np.ones(len(label))))
    assert one.labels[one.marks["fixed, in force"]] == "−∞"
    (point,) = precision_recall([Curve("pca", Levels.of(units), below, None)]).data["in_force"]
    assert (point["x"], point["y"]) == pytest.approx((1.0, label.mean()), abs=1e-4)


def test_there_is_no_precision_where_nothing_alarms(study: Study) -> None:
    record = next(one for one in study.firsts if one["model"] == "pca")
    units, scores = study.units(record), study.scores(record)
    assert units is not None and scores is not None
    one = explored("pca", record["threshold"], units.with_columns(flagged=False), scores)
    figure = threshold(one)
    last = one.labels[-1]
    assert figure.table[-1]["precision"] is None
    assert {row["metric"] for row in figure.data["sweep"] if row["level"] == last} == {"F1", "recall"}
    assert len(figure.data["sweep"]) == 3 * len(one.labels) - 1
    curve = Curve("pca", one.levels, np.inf, None)
    assert not precision_recall([curve]).data["in_force"] and roc([curve]).data["in_force"]


def test_the_oracle_may_let_everything_alarm() -> None:
    units = pl.DataFrame({"score": [1.0] * 9, "label": [0] * 8 + [1], "weight": [1] * 9, "flagged": [False] * 9})
    levels = Levels.of(units)
    assert levels.oracle == -np.inf and max(levels.f1) == pytest.approx(f1_score([0] * 8 + [1], [1] * 9))


def test_curves_pass_through_what_sklearn_computes(study: Study) -> None:
    record = next(one for one in study.firsts if one["model"] == "pca")
    units = study.units(record)
    assert units is not None
    label, alarm = units["label"].to_numpy(), units["verdict"].to_numpy()
    levels = Levels.of(units)
    figure = precision_recall([Curve("pca", levels, float(record["threshold"]["exact"]), 0.5)])
    (point,) = figure.data["in_force"]
    assert (point["x"], point["y"]) == pytest.approx(
        (recall_score(label, alarm), precision_score(label, alarm)), abs=1e-4
    )
    alarms = levels.tp + levels.fp > 0
    steps = -np.diff(np.append(levels.recall[alarms], 0.0))
    area = float((steps * levels.precision[alarms]).sum()) + (1 - levels.recall[0]) * label.mean()
    ranked = units["score"].clip(-1e300, 1e300).to_numpy()
    assert area == pytest.approx(average_precision_score(label, ranked))
    x = [row["x"] for row in figure.data["points"]]
    assert x == sorted(x, reverse=True) and x[0] == 1 and x[-1] == 0


def test_the_spread_is_what_training_again_under_each_protocol_gives(study: Study, out: Path) -> None:
    record = next(one for one in study.firsts if one["model"] == "ecvc")
    found = {tuple(one[name] for name in CHOICES): one["f1"] for one in study.runs.spread(record)}
    plan = Plan(model="ecvc", dataset="hdfs-sim", settings=SMALL, seed=record["seed"])
    registry = Registry()
    rows = [row for row in variants(resolve(plan, registry), Runtime.here(registry)) if "skipped" not in row]
    expected = {tuple(row["protocol"][name] for name in CHOICES): row["metrics"]["f1"] for row in rows}
    assert found == pytest.approx(expected) and len(set(found.values())) > 3
    (own,) = (one for one in study.runs.spread(record) if one["in_force"])
    assert own["f1"] == pytest.approx(record["metrics"]["session"]["all"]["f1"])
