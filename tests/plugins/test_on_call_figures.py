"""Figures of what a person on call gets: their numbers are those of the evaluators, which are tested apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sklearn.calibration import calibration_curve

import logbench
from logbench_reporters.report.figures.figure import Figure
from logbench_reporters.report.figures.reliability import reliability, reliability_bins
from logbench_reporters.report.on_call import on_call
from logbench_reporters.report.study import Study, studies

SMALL = {
    "dataset": {"blocks": 900}, "protocol": {"train_units": 250}, "costs": {"fp": 2.0, "fn": 60.0},
    "budget": {"a_day": 30.0},
}  # fmt: skip
ASKED = ("classification", "costs", "budget", "first-alarm", "types", "calibration")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("on-call")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGBENCH_CACHE", str(folder / "cache"))
        logbench.run(["ecvc", "new-event"], dataset="hdfs-sim", settings=SMALL, out=folder, evaluators=ASKED)
    runs = logbench.StoredRuns(folder)
    (found,) = studies(runs.records(), runs)
    return found


@pytest.fixture(scope="module")
def drawn(study: Study) -> dict[str, Figure]:
    return {figure.name: figure for figure in on_call(study)}


def metric(study: Study, model: str, name: str) -> Any:
    (record,) = (one for one in study.records if one["model"] == model)
    return logbench.figures(record)[name]


@pytest.mark.parametrize("model", ["ecvc", "new-event"])
def test_figures_show_what_the_evaluators_compute(study: Study, drawn: dict[str, Figure], model: str) -> None:
    def row(name: str) -> Any:
        return next(one for one in drawn[name].table if one["model"] == model)

    costs, budget, early = row("price-curve"), row("budget-curve"), row("first-alarm")
    assert costs["relative cost"] == pytest.approx(metric(study, model, "costs.relative"))
    assert costs["at the best threshold"] == pytest.approx(metric(study, model, "costs.oracle"))
    assert budget["recall at 30 alarms a day"] == pytest.approx(metric(study, model, "budget.recall_at_budget"))
    assert early["in the end"] == pytest.approx(metric(study, model, "first-alarm.known"))
    bars = [one for one in drawn["types"].data["types"] if one["model"] == model]
    assert len(bars) == metric(study, model, "types.types")
    for bar in bars:
        kind = bar["type"].rpartition(" (")[0]
        assert bar["recall"] == pytest.approx(metric(study, model, f"types.recall:{kind}"), abs=1e-4)


def test_scores_that_are_no_probabilities_have_no_diagram(drawn: dict[str, Figure], study: Study) -> None:
    probable = any(metric(study, one, "calibration.brier") is not None for one in ("ecvc", "new-event"))
    others = {"price-curve", "budget-curve", "first-alarm", "types"}
    assert set(drawn) == (others | {"reliability"} if probable else others)


def test_a_run_without_these_evaluators_has_no_such_section(tmp_path: Path) -> None:
    small = {name: SMALL[name] for name in ("dataset", "protocol")}
    logbench.run("new-event", dataset="hdfs-sim", settings=small, out=tmp_path)
    runs = logbench.StoredRuns(tmp_path)
    assert on_call(studies(runs.records(), runs)[0]) == []


def test_reliability_is_that_of_sklearn() -> None:
    score = [0.0, 0.05, 0.31, 0.33, 0.39, 0.77, 0.78, 1.0, 0.99]
    label = [0, 0, 0, 1, 1, 1, 0, 1, 1]
    units = pl.DataFrame({"score": score, "label": pl.Series(label, dtype=pl.Int8), "weight": [1.0] * len(score)})
    shares, means = calibration_curve(label, score, n_bins=5)
    found = reliability_bins(units, 5)
    assert [row["score"] for row in found] == pytest.approx(means)
    assert [row["share"] for row in found] == pytest.approx(shares)
    figure = reliability([("m", units), ("n", units.with_columns(score=pl.col("score") * 2))], 5)
    assert figure is not None and "No probabilities: n." in figure.description
