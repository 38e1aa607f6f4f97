"""Figures over data sets, protocols, doses and models against independent numbers."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats
from vega_faults import faults_of

import logbench
from logbench_reporters.report.figures.across import across, one_protocol_each
from logbench_reporters.report.figures.critical import critical
from logbench_reporters.report.figures.disturbed import disturbed
from logbench_reporters.report.figures.dose import doses, without_doses
from logbench_reporters.report.figures.each_model import each_model
from logbench_reporters.report.figures.ranking import ranking
from logbench_reporters.report.figures.transferred import transferred
from logbench_reporters.report.study import Study, once


def test_mean_ranks_are_those_of_scipy_and_the_difference_that_of_demsar(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    values = np.array([0.9, 0.6, 0.58, 0.3]) + rng.normal(0, 0.02, (8, 4))  # [data sets, models]
    names = ["a", "b", "c", "d"]
    records = [
        {
            "run_id": f"{at}-{name}", "model": name, "seed": 0, "status": "ok", "error": None, "artifacts": {},
            "dataset": {"name": f"set{at}", "unit": "session"}, "directions": {"session": {"f1": "higher"}},
            "protocol": {"duplicates": "all", "split_seed": 0, "train": "random"},
            "split": {"digest": "0", "train": 90, "held_out": 10, "test": 10},
            "metrics": {"session": {"all": {"f1": float(value)}, "distinct": None}},
        }
        for at, row in enumerate(values)
        for name, value in zip(names, row, strict=True)
    ]  # fmt: skip
    runs = logbench.StoredRuns(tmp_path)
    ranked = runs.across(records)
    assert ranked is not None and runs.across(records[:4]) is None
    figure = critical(ranked)
    means = scipy.stats.rankdata(-values, axis=1).mean(axis=0)
    shown = {row["name"].split()[0]: row["rank"] for row in figure.data["ranks"]}
    assert shown == pytest.approx(dict(zip(names, means, strict=True)))
    assert list(shown) == sorted(shown, key=lambda name: shown[name])
    difference = 2.569 * np.sqrt(4 * 5 / (6 * 8))  # q of four models at .05, Demšar's table 5
    (reach,) = figure.data["reach"]
    assert reach["to"] - reach["rank"] == pytest.approx(difference, abs=1e-3)
    joined: dict[str, set[str]] = {}
    for row in figure.data["ties"]:
        joined.setdefault(row["letter"], set()).add(row["name"].split()[0])
    for one, two in itertools.combinations(names, 2):
        near = abs(shown[one] - shown[two]) <= difference
        assert any({one, two} <= group for group in joined.values()) == near, (one, two)
    same = [{**record, "metrics": records[0]["metrics"]} for record in records]
    undecided = runs.across(same)
    assert undecided is not None
    assert critical(undecided).data["reach"] == [] and "no model is told" in critical(undecided).description


def test_mean_ranks_take_the_protocol_of_the_page_else_that_of_most_models() -> None:
    def record(model: str, data: str, short: str) -> dict[str, Any]:
        protocol = {"hash": f"{data}{short}", "split_seed": 0, "short": short}
        data_set = {"name": data, "digest": "0"}
        return {"model": model, "status": "ok", "metrics": {"x": {}}, "dataset": data_set, "protocol": protocol}

    page = [record("a", "x", "flag"), record("b", "x", "flag")]
    others = ("a x drop", "a y drop", "b y drop", "a y flag", "a z ignore", "b z drop", "a z drop", "c z ignore")
    folder = [*page, *(record(*words.split()) for words in others)]
    chosen = {(one["dataset"]["name"], one["protocol"]["short"]) for one in one_protocol_each(folder, page)}
    assert chosen == {("x", "flag"), ("y", "flag"), ("z", "drop")}


def test_ranks_are_per_data_set_and_protocol() -> None:
    def record(model: str, data: str, f1: float, **protocol: Any) -> dict[str, Any]:
        return {
            "model": model, "status": "ok", "dataset": {"name": data, "unit": "session"},
            "protocol": {"hash": str(protocol), "split_seed": 0, "duplicates": "all", "short": "flag", **protocol},
            "metrics": {"session": {"all": {"f1": f1}}},
        }  # fmt: skip

    records = [
        record("a", "x", 0.8), record("a", "x", 0.6, split_seed=1), record("b", "x", 0.5), record("a", "y", 0.1),
        record("b", "y", 0.1), record("c", "y", 0.05), record("a", "y", 0.2, short="drop"),
        record("b", "y", 0.9, short="drop"), record("a", "z", 1.0),
    ]  # fmt: skip
    figure = across(records, ["a", "b", "c"])
    assert figure is not None
    ranks = {(row["on"], row["model"]): (row["rank"], row["value"]) for row in figure.data["ranks"]}
    assert ranks == {
        ("x", "a"): (1, 0.7), ("x", "b"): (2, 0.5),
        ("y, short flag", "a"): (1, 0.1), ("y, short flag", "b"): (1, 0.1),
        ("y, short drop", "a"): (2, 0.2), ("y, short drop", "b"): (1, 0.9),
    }  # fmt: skip
    assert across(records[:3], ["a", "b"]) is None


def test_doses_are_runs_that_differ_in_one_field_alone(study: Study) -> None:
    first = next(one for one in study.firsts if one["model"] == "pca")

    def at(model: str, f1: float, **protocol: Any) -> dict[str, Any]:
        metrics = {"session": {"all": {"f1": f1}}}
        return {
            **first,
            "model": model,
            "metrics": metrics,
            "protocol": {**first["protocol"], "hash": "x", **protocol},
        }

    records = [
        at("pca", 0.9, train_units=100), at("pca", 0.8, train_units=200, test_reserve=300),
        at("pca", 0.6, train_units=300), at("pca", 0.4, train_units=300, split_seed=4),
        at("pca", 0.1, train_units=400, short="drop"), at("ecvc", 0.3, train_units=100),
        {**at("pca", 0.2, train_units=500), "config": {**first["config"], "model": {"other": 1}}},
    ]  # fmt: skip
    (figure,) = doses(records, study.records, ["ecvc", "pca"])
    found = [(row["model"], row["dose"], row["value"]) for row in figure.data["doses"]]
    assert found == [("pca", 100, 0.9), ("pca", 200, 0.8), ("pca", 300, 0.5)]
    assert "pca from .900 to .500" in figure.description and not faults_of(figure.spec())
    assert doses(records[:2], study.records, ["pca"]) == []
    assert without_doses([first, *records], [first]) == [first, records[4]]


def test_a_panel_a_disturbance_with_the_rule_under_the_same_dose(study: Study) -> None:
    first = next(one for one in study.firsts if one["model"] == "pca")

    def at(f1: float, rule: float, **protocol: Any) -> dict[str, Any]:
        metrics, rules = ({"session": {"all": {"f1": value}, "distinct": None}} for value in (f1, rule))
        changed = {**first["protocol"], "hash": "x", **protocol}
        return {**first, "metrics": metrics, "trivial": {"unseen": rules}, "protocol": changed}

    swapped = {"unstable": "swap", "unstable_in": "test"}
    records = [
        at(0.9, 0.5), at(0.7, 0.5, **swapped, unstable_dose=0.1),
        at(0.5, 0.5, **swapped, unstable_dose=0.1, split_seed=1),
        at(0.4, 0.6, **swapped, unstable_dose=0.2), at(0.3, 0.5, test_label_noise=0.05),
        at(0.1, 0.5, **swapped, unstable_dose=0.5, short="drop"),
    ]  # fmt: skip
    page, noise = [records[0]], "test label noise"
    (figure,) = each_model(disturbed, records, page, ["ecvc", "pca"])
    rows = {(row["kind"], row["dose"]): row for row in figure.data["doses"]}
    assert set(rows) == {*(("swap", dose) for dose in (0.0, 0.1, 0.2)), (noise, 0.0), (noise, 0.05)}
    assert rows["swap", 0.1]["value"] == 0.6 and rows["swap", 0.1]["runs"] == 2 and rows["swap", 0.1]["low"] < 0.6
    assert rows["swap", 0.2]["rule"] == 0.6 and rows["swap", 0.0]["value"] == 0.9
    assert "swap: .900 to .400 at 20%, worse than the rule at 20%" in figure.description
    assert not faults_of(figure.spec()) and each_model(disturbed, page, page, ["pca"]) == []
    assert without_doses(records, page) == [records[0], records[5]], "disturbed runs are no data set of their own"
    again = {**records[1], "run_id": "rescored", "config": {**first["config"], "evaluators": {"budget": {}}}}
    assert once([*records, again, {**again, "metrics": {}}], "f1") == [records[0], again, *records[2:]]
    split = {"test": 3, "train": 1, "held_out": 1}
    drawn = [{**one, "split": split, "protocol": {**one["protocol"], "train": "random"}} for one in records]
    (figure,) = each_model(disturbed, [*drawn, {**drawn[1], "seed": 1}], drawn[:1], ["pca"])
    row = next(row for row in figure.data["doses"] if (row["kind"], row["dose"]) == ("swap", 0.1))
    assert row["low"] == pytest.approx(
        max(0, 0.6 - scipy.stats.t.ppf(0.975, 1) * np.sqrt((1 / 2 + 3 / 2) * 0.02)), abs=1e-4
    )


def test_a_panel_a_target_with_the_source_and_without(study: Study) -> None:
    first = next(one for one in study.firsts if one["model"] == "pca")

    def at(f1: float, units: int, alone: bool, target: str = "b", **data: Any) -> dict[str, Any]:
        metrics, rules = ({"session": {"all": {"f1": value}, "distinct": None}} for value in (f1, 0.5))
        changed = {**first["protocol"], "target_units": units, "target_alone": alone, "target_reserve": 10}
        facts = {**first["dataset"], "name": target, "source": {"name": "a"}, "source_digest": "d", **data}
        return {**first, "dataset": facts, "metrics": metrics, "trivial": {"unseen": rules}, "protocol": changed}

    records = [
        at(0.2, 0, False), at(0.8, 10, False), at(0.6, 10, False), at(0.7, 10, True), at(0.3, 0, False, "c"),
        at(0.9, 0, False, source_digest="other"), first,
    ]  # fmt: skip
    others = [{**one, "protocol": {**one["protocol"], "target_reserve": 99}} for one in records[:3]]
    (figure,) = each_model(transferred, [*records, *others], records[:1], ["ecvc", "pca"])
    found = {(row["target"], row["units"], row["trained"]): row["value"] for row in figure.data["transfer"]}
    assert found == {
        ("b", 0, "with the source"): 0.2, ("b", 0, "best rule"): 0.5, ("b", 10, "with the source"): 0.7,
        ("b", 10, "best rule"): 0.5, ("b", 10, "target units alone"): 0.7, ("c", 0, "with the source"): 0.3,
        ("c", 0, "best rule"): 0.5,
    }  # fmt: skip
    assert "b, 10 units: .700, alone .700" in figure.description and not faults_of(figure.spec())
    assert each_model(transferred, records, [first], ["pca"]) == []


def test_models_that_share_a_letter_are_bracketed(study: Study) -> None:
    figure = ranking(study.models, tied={"ecvc": "a", "pca": "ab", "new-event": "b", "isolation-forest": "c"})
    joined: dict[float, set[str]] = {}
    for row in figure.data["ties"]:
        joined.setdefault(row["at"], set()).add(row["name"])
    assert sorted(map(sorted, joined.values())) == [["ecvc", "pca"], ["new-event", "pca"]]
    assert min(joined) > 1 and not ranking(study.models).data["ties"]
