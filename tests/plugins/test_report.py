"""The report page: figures against independent numbers and the schema, and nothing that leaves or runs."""

from __future__ import annotations

import html.parser
import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import click.testing
import numpy as np
import polars as pl
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score

import logbench
from logbench.api.plan import Plan
from logbench.components.registry import Registry
from logbench.running.resolve import resolve
from logbench.running.runtime import Runtime
from logbench.studies.protocol_grid import CHOICES, variants
from logbench_reporters.report.examples import examples
from logbench_reporters.report.figures.across import across, one_protocol_each
from logbench_reporters.report.figures.cost import cost
from logbench_reporters.report.figures.critical import critical
from logbench_reporters.report.figures.curves import Curve, precision_recall, roc
from logbench_reporters.report.figures.disturbed import disturbed
from logbench_reporters.report.figures.dose import doses, without_doses
from logbench_reporters.report.figures.figure import Figure
from logbench_reporters.report.figures.ladder import ladder
from logbench_reporters.report.figures.ranking import ranking
from logbench_reporters.report.figures.spread import spread
from logbench_reporters.report.figures.stages import stages
from logbench_reporters.report.figures.threshold import explored, threshold
from logbench_reporters.report.figures.timeline import timeline
from logbench_reporters.report.figures.training import training
from logbench_reporters.report.figures.transferred import transferred
from logbench_reporters.report.head import figures, headline
from logbench_reporters.report.levels import Levels, binned, labels_of
from logbench_reporters.report.provenance import provenance
from logbench_reporters.report.sections import sections
from logbench_reporters.report.strip import steps
from logbench_reporters.report.study import Study, once, studies
from logbench_reporters.report.theme import COLOURS, for_page

SMALL = {"dataset": {"blocks": 900}, "protocol": {"train_units": 250}}
MODELS = ["ecvc", "pca", "new-event", "isolation-forest"]
SCORES = st.sampled_from([0.0, 0.5, 1.0, 2.0, 7.5, float("inf"), float("-inf")])


RUNG = {"name": "loop", "per_s": 9.0, "skipped": "", "windows": 9, "extrapolated": True, "equal_first": None,
        "equal_others": None, "different": None}  # fmt: skip


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a few runs."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGBENCH_CACHE", str(folder / "cache"))
        logbench.run(MODELS, dataset="hdfs-sim", seeds=[0, 1], settings=SMALL, out=folder)
    return folder


@pytest.fixture(scope="module")
def study(out: Path) -> Study:
    runs = logbench.StoredRuns(out)
    (found,) = studies(runs.records(), runs)
    return found


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


def test_examples_say_of_how_many_they_are(study: Study) -> None:
    known = study.firsts[0]["metrics"]["session"]["all"]
    (section,) = (one for one in sections(study) if one.name == "examples")
    for kind, total in (("false alarms", "fp"), ("missed anomalies", "fn"), ("found anomalies", "tp")):
        shown = re.search(rf"(\d+) of ([\d,]+) {kind}", section.sentence)
        assert int(shown[2].replace(",", "")) == known[total] if shown else known[total] == 0


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


def test_the_timeline_counts_every_unit_once(study: Study) -> None:
    units = study.units(study.firsts[0])
    assert units is not None
    figure = timeline("m", units)
    assert figure is not None
    counted = {
        kind: sum(row[kind] for row in figure.table) for kind in ("true alarm", "false alarm", "missed", "units")
    }
    alarm, anomaly = units["verdict"], units["label"] == 1
    assert counted == {
        "true alarm": (alarm & anomaly).sum(),
        "false alarm": (alarm & ~anomaly).sum(),
        "missed": (~alarm & anomaly).sum(),
        "units": len(units),
    }
    assert timeline("m", units.drop("last_time")) is None
    for row in figure.table[:5]:  # the bars to be seen closely are those of the table, in finer stretches
        begin = datetime.fromisoformat(f"{row['from']}+00:00").timestamp() * 1000
        (next_one,) = {one["to"] for one in figure.data["drift"] if abs(one["from"] - begin) < 1000}
        inside = [bar for bar in figure.data["alarms"] if begin - 1000 < bar["from"] < next_one - 1000]
        for kind in ("true alarm", "false alarm", "missed"):
            assert sum(bar["units"] for bar in inside if bar["kind"] == kind) == row[kind]
    upper, lower = figure.marks["vconcat"]
    (zoom,) = lower["params"]
    assert upper["encoding"]["x"]["scale"]["domain"] == {"param": zoom["name"]}
    still = json.dumps(figure.spec(still=True))
    assert zoom["name"] not in still and zoom["name"] in json.dumps(figure.spec())


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


def test_rungs_of_a_ladder_are_bars_that_say_if_verdicts_stay(study: Study, out: Path, tmp_path: Path) -> None:
    def rung(name: str, per_s: float | None, different: int | None, skipped: str = "") -> dict[str, Any]:
        compared = None if different is None else 9
        return {"name": name, "per_s": per_s, "skipped": skipped, "windows": 9, "extrapolated": False,
                "equal_first": compared, "equal_others": compared, "different": different}  # fmt: skip

    rungs = [
        rung("loop", 10.0, None),
        rung("fast", 500.0, 0),
        rung("rough", 200.0, 3),
        rung("gpu", None, None, "none"),
    ]
    found = {
        "ladder_version": 1,
        "evaluation": rungs,
        "dataset": {"name": "d", "simulated": True},
        "device": "cpu",
    }
    figure = ladder(found)
    assert figure is not None and "50 times loop; 1 of 3 rungs" in figure.description
    assert [(row["rung"], row["per_s"], row["kind"]) for row in figure.data["rungs"]] == [
        ("loop", 10.0, "the slow loop"), ("fast", 500.0, "same verdicts"), ("rough", 200.0, "other verdicts"),
    ]  # fmt: skip
    assert ladder({**found, "evaluation": rungs[-1:]}) is None
    (shown,) = (one for one in sections(replace(study, ladder=found)) if one.name == "cost")
    assert "ladder" in [one.name for one in shown.figures]
    file = tmp_path / "ladder.json"
    file.write_text('{"ladder_version": 7}', encoding="utf-8")
    from logbench_reporters.report.command import command

    done = click.testing.CliRunner().invoke(command, ["--runs", str(out), "--ladder", str(file)])
    assert isinstance(done.exception, logbench.DataError) and "version 7" in str(done.exception)


def test_models_without_passes_are_named_where_curves_would_be(study: Study) -> None:
    (section,) = (one for one in sections(study) if one.name == "training")
    assert not section.figures and all(name in section.sentence for name in MODELS)


def trained(**facts: Any) -> dict[str, Any]:
    return {"model": "m", "status": "ok", "training": facts}


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


def test_examples_are_of_their_kind_and_bring_every_event(study: Study) -> None:
    record = next(one for one in study.firsts if one["model"] == "isolation-forest")
    groups, scores = examples(study, record), study.scores(record)
    assert scores is not None
    test = {row["unit"]: row for row in scores.filter(pl.col("part") == "test").iter_rows(named=True)}
    kinds = {"False alarms": (True, 0), "Missed anomalies": (False, 1), "Found anomalies": (True, 1)}
    assert [group["title"] for group in groups] == list(kinds)
    for group in groups:
        for item in group["items"]:
            row = test[item["unit"]]
            assert (row["verdict"], row["label"]) == kinds[group["title"]]
            assert item["strip"] is None or len(item["strip"]["boxes"]) == row["events"]
    assert any(item["strip"] for group in groups for item in group["items"])


def test_steps_follow_the_score_and_else_the_training() -> None:
    inf = float("inf")
    given_events = [
        (5.0, 0.1),
        (3.0, 0.1),
        (1.0, 0.0),
        (inf, 0.1),
        (None, 0.0),
        (None, 1e-5),
        (None, 0.2),
        (-inf, 0.0),
    ]
    events = [{"score": score, "training": training} for score, training in given_events]
    expected = ["strange", "rare", "usual", "strange", "strange", "rare", "usual", "strange"]
    assert steps(events, 4.0) == expected


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
    (figure,) = disturbed(records, page, ["ecvc", "pca"])
    rows = {(row["kind"], row["dose"]): row for row in figure.data["doses"]}
    assert set(rows) == {*(("swap", dose) for dose in (0.0, 0.1, 0.2)), (noise, 0.0), (noise, 0.05)}
    assert rows["swap", 0.1]["value"] == 0.6 and rows["swap", 0.1]["runs"] == 2 and rows["swap", 0.1]["low"] < 0.6
    assert rows["swap", 0.2]["rule"] == 0.6 and rows["swap", 0.0]["value"] == 0.9
    assert "swap: .900 to .400 at 20%, worse than the rule at 20%" in figure.description
    assert not faults_of(figure.spec()) and disturbed(page, page, ["pca"]) == []
    assert without_doses(records, page) == [records[0], records[5]], "disturbed runs are no data set of their own"
    again = {**records[1], "run_id": "rescored", "config": {**first["config"], "evaluators": {"budget": {}}}}
    assert once([*records, again, {**again, "metrics": {}}], "f1") == [records[0], again, *records[2:]]
    split = {"test": 3, "train": 1, "held_out": 1}
    drawn = [{**one, "split": split, "protocol": {**one["protocol"], "train": "random"}} for one in records]
    (figure,) = disturbed([*drawn, {**drawn[1], "seed": 1}], drawn[:1], ["pca"])
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
    (figure,) = transferred([*records, *others], records[:1], ["ecvc", "pca"])
    found = {(row["target"], row["units"], row["trained"]): row["value"] for row in figure.data["transfer"]}
    assert found == {
        ("b", 0, "with the source"): 0.2, ("b", 0, "best rule"): 0.5, ("b", 10, "with the source"): 0.7,
        ("b", 10, "best rule"): 0.5, ("b", 10, "target units alone"): 0.7, ("c", 0, "with the source"): 0.3,
        ("c", 0, "best rule"): 0.5,
    }  # fmt: skip
    assert "b, 10 units: .700, alone .700" in figure.description and not faults_of(figure.spec())
    assert transferred(records, [first], ["pca"]) == []


def every_figure(study: Study) -> list[Figure]:
    record = study.firsts[0]
    units, scores = study.units(record), study.scores(record)
    assert units is not None and scores is not None
    elsewhere = [{**one, "dataset": {**one["dataset"], "name": "other"}} for one in study.records]
    curves = [Curve("a", Levels.of(units), 1.0, 0.5), Curve("b", Levels.of(units), 2.0, None)]
    made = [
        ranking([*study.models, *study.rules], tied={"ecvc": "a", "pca": "ab", "new-event": "b"}),
        precision_recall(curves),
        roc(curves),
        threshold(explored("ecvc", record["threshold"], units, scores)),
        timeline("m", units),
        cost(study.models),
        spread("m", study.runs.spread(record), [{"source": "paper", "f1": 0.5}]),
        stages(record),
        across([*study.records, *elsewhere], MODELS),
        critical(
            {
                "models": ["a", "b"],
                "datasets": ["x", "y"],
                "values": [[0.9, 0.8], [0.2, 0.3]],
                "ranks": [1.0, 2.0],
                "p_holm": [1.0, 0.2],
                "friedman": {"p": 0.01},
                "critical": 1.4,
                "tied": [["a", "b"]],
            }
        ),
        ladder({"evaluation": [RUNG], "dataset": {"name": "d"}, "device": "cpu"}),
        training([trained(loss_by_pass=[2.0, 1.0], validation_by_pass=[2.5, 1.5], best_pass=2)]),
    ]
    assert None not in made
    return [one for one in made if one is not None]


def faults_of(spec: dict[str, Any]) -> list[str]:
    """Why a specification is not Vega-Lite, by the schema of its kind: the deepest reasons."""
    kind = next(name for part, name in KINDS.items() if part in spec)
    errors = [leaf for error in schema(kind).iter_errors(spec) for leaf in leaves(error)]
    deepest = max((len(error.absolute_path) for error in errors), default=0)
    return [f"{[*e.absolute_path]}: {e.message[:200]}" for e in errors if len(e.absolute_path) == deepest]


KINDS = {
    "layer": "TopLevelLayerSpec",
    "vconcat": "TopLevelVConcatSpec",
    "facet": "TopLevelFacetSpec",
    "mark": "TopLevelUnitSpec",
}


def leaves(error: Any) -> Iterator[Any]:
    if not error.context:
        yield error
    for one in error.context:
        yield from leaves(one)


@cache
def schema(kind: str) -> Any:
    altair = pytest.importorskip("altair")
    path = Path(altair.__file__).parent / "vegalite" / "v6" / "schema" / "vega-lite-schema.json"
    definitions = json.loads(path.read_text(encoding="utf-8"))["definitions"]
    whole = {"$ref": f"#/definitions/{kind}", "definitions": definitions}
    return pytest.importorskip("jsonschema").Draft7Validator(whole)


def test_specifications_are_vega_lite(study: Study) -> None:
    assert faults_of({"layer": [{"mark": "potato"}]})
    for figure in every_figure(study):
        assert not faults_of(figure.spec()), figure.name
        assert figure.description.endswith(".") and figure.title
        json.dumps(figure.spec(), allow_nan=False)


def test_a_figure_draws_itself_in_a_notebook(study: Study) -> None:
    pytest.importorskip("vl_convert")
    bundle = ranking(study.models)._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<svg")
    assert bundle["application/vnd.vegalite.v6+json"]["datasets"]["rows"][0]["name"] == study.models[0].name
    assert study.models[0].name in bundle["text/plain"]


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


@pytest.mark.parametrize("side", [0, 1], ids=["light", "dark"])
def test_colours_stand_out_from_the_ground(side: int) -> None:
    ground = luminance(COLOURS["ground"][side])
    for name, pair in COLOURS.items():
        if name not in {"ground", "line"}:
            light, dark = sorted([luminance(pair[side]), ground], reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, name
    assert len({pair[side] for pair in COLOURS.values()}) == len(COLOURS)


def test_a_page_takes_every_colour_from_its_style() -> None:
    assert for_page({"a": ["#0f766e", 1]}) == {"a": ["var(--teal)", 1]}


class Seen(html.parser.HTMLParser):
    """Elements and attributes of a page as a browser reads it, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def of(self, tag: str) -> Iterator[dict[str, str | None]]:
        return (attributes for name, attributes in self.elements if name == tag)


@pytest.fixture(scope="module")
def page_of(study: Study) -> str:
    pytest.importorskip("vl_convert")
    from logbench_reporters.report.page import page

    return page(study)


def test_the_page_asks_for_nothing_and_forbids_it(page_of: str) -> None:
    seen = Seen(page_of)
    (policy,) = (one["content"] or "" for one in seen.of("meta") if one.get("http-equiv"))
    assert "default-src 'none'" in policy and "unsafe-eval" not in policy
    assert not re.search(r"script-src[^;]*unsafe", policy) and len(re.findall("sha256-", policy)) == 2
    for tag, attributes in seen.elements:
        assert tag not in {"iframe", "object", "embed", "base", "form"}
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in {"src", "href", "srcset", "poster", "action"}:
                assert value is not None and value.startswith(("#", "data:")), (tag, name, value)
    style = page_of[page_of.index("<style>") : page_of.index("</style>")]
    assert "url(" not in style and "@import" not in style


def test_the_page_is_small_and_names_what_it_shows(page_of: str, study: Study) -> None:
    assert len(page_of) < 1_200_000
    seen = Seen(page_of)
    for text in (
        *MODELS,
        study.records[0]["protocol"]["hash"],
        study.records[0]["dataset"]["digest"],
        "Simulated data",
    ):
        assert text in seen.text
    for one in study.records:
        assert one["run_id"] in seen.text


def test_a_page_of_many_models_is_small(study: Study) -> None:
    """Thirty, each with the scores of one of ours."""
    pytest.importorskip("vl_convert")
    from logbench_reporters.report.page import page

    many = [{**one, "model": f"{one['model']}-{copy}"} for copy in range(8) for one in study.firsts][:30]
    assert len(page(Study(many, "f1", study.runs))) < 1_200_000


def _scripts(page: str) -> list[str]:
    return re.findall(r"<script>(.*?)</script>", page, re.DOTALL)


def test_static_pages_have_pictures_and_no_script(study: Study) -> None:
    pytest.importorskip("vl_convert")
    from logbench_reporters.report.page import page

    text = page(study, static=True)
    seen = Seen(text)
    assert not list(seen.of("script")) and len(list(seen.of("svg"))) >= 5
    (policy,) = (one["content"] or "" for one in seen.of("meta") if one.get("http-equiv"))
    assert "script-src 'none'" in policy and "var(--teal)" in text


HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31mred\u202edab {{7*7}} \u2028 ]]>"


def test_what_others_say_is_text(study: Study) -> None:
    pytest.importorskip("vl_convert")
    from logbench_reporters.report.page import page

    first = study.records[0]
    spoiled = {
        **first,
        "model": HOSTILE,
        "command": HOSTILE,
        "notes": [HOSTILE],
        "dataset": {**first["dataset"], "name": HOSTILE},
        "config": {**first["config"], "model": {HOSTILE: HOSTILE}},
    }
    failed = {
        **spoiled,
        "run_id": "x",
        "seed": 9,
        "status": "error",
        "metrics": {},
        "trivial": {},
        "split": {},
        "error": {"message": HOSTILE, "stage": "fit"},
    }
    hostile = Study([spoiled, failed], "f1", study.runs)
    for static in (False, True):
        text = page(hostile, static)
        seen = Seen(text)
        assert len(list(seen.of("script"))) == (0 if static else 3)
        assert not list(seen.of("img")) and "alert(1)" in seen.text
        assert "\x1b" not in text and "\u202e" not in text and "7*7" in text and "49 " not in seen.text
        for data in re.findall(r'id="data">(.*?)</script>', text, re.DOTALL):
            assert HOSTILE.partition("\x1b")[0] in json.dumps(json.loads(data))


class Hostile(logbench.StoredRuns):
    """Runs whose log lines, templates and units are written by someone who wants to be run."""

    def examples(self, record: Any, which: Any, count: int) -> list[dict[str, Any]]:
        every = {
            "raw": HOSTILE,
            "template": HOSTILE,
            "unit": HOSTILE,
            "why": HOSTILE,
            "expected": [HOSTILE],
            "file": HOSTILE,
        }
        return [{**one, **every} for one in super().examples(record, which, count)]


def test_log_lines_are_text(study: Study, out: Path) -> None:
    pytest.importorskip("vl_convert")
    from logbench_reporters.report.page import page

    text = page(Study(study.records, "f1", Hostile(out)))
    seen = Seen(text)
    assert len(list(seen.of("script"))) == 3 and not list(seen.of("img"))
    assert (
        seen.text.count("alert(2)") >= 4 and "\x1b" not in text and "\u202e" not in text and "49 " not in seen.text
    )


def test_the_device_is_where_a_run_ran_and_not_what_was_asked(study: Study) -> None:
    first = study.records[0]
    stages = {**first["stages"], "fit": {**first["stages"]["fit"], "gpu": "NVIDIA H200"}}
    first = {**first, "environment": {**first["environment"], "device": "auto", "platform": "Linux"}}
    assert ("device", "cpu") in provenance(Study([first], "f1", study.runs))["machine"]
    assert ("device", "NVIDIA H200") in provenance(Study([{**first, "stages": stages}], "f1", study.runs))[
        "machine"
    ]


def test_the_command_writes_the_page_of_the_newest_table(out: Path, tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    from logbench_reporters.report.command import command

    target = tmp_path / "deep" / "r.html"
    done = click.testing.CliRunner().invoke(command, ["--runs", str(out), "--out", str(target)])
    assert done.exit_code == 0, done.output
    text = target.read_text(encoding="utf-8")
    assert all(model in text for model in MODELS)


def test_runs_of_two_protocols_are_refused_by_name(out: Path, tmp_path: Path) -> None:
    from logbench_reporters.report.command import command

    logbench.run(
        "pca", dataset="hdfs-sim", settings={**SMALL, "protocol": {"train_units": 200}}, out=out / "other"
    )
    mixed = tmp_path / "runs"
    mixed.mkdir()
    lines = [(folder / "records.jsonl").read_text().splitlines()[0] for folder in (out, out / "other")]
    (mixed / "records.jsonl").write_text("\n".join(lines) + "\n")
    ids = [json.loads(line)["run_id"] for line in lines]
    done = click.testing.CliRunner().invoke(command, [*ids, "--runs", str(mixed)])
    assert isinstance(done.exception, logbench.ConfigError)
    assert all(name in str(done.exception) for name in ids)


def test_figures_are_written_for_papers(out: Path, tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    from logbench_reporters.report.command import command

    for form, begins in (("pdf", b"%PDF"), ("svg", b"<svg"), ("png", b"\x89PNG")):
        folder = tmp_path / form
        done = click.testing.CliRunner().invoke(
            command, ["--runs", str(out), "--figures", str(folder), "--format", form]
        )
        assert done.exit_code == 0, done.output
        files = {path.stem: path.read_bytes() for path in folder.iterdir()}
        assert {"ranking", "precision-recall", "threshold"} <= set(files)
        assert all(one.startswith(begins) for one in files.values())


def test_the_reporter_writes_a_page_a_comparison(study: Study, out: Path) -> None:
    pytest.importorskip("vl_convert")
    from logbench_reporters.report.html import Html

    other = [{**one, "protocol": {**one["protocol"], "short": "drop"}} for one in study.records]
    runs = logbench.StoredRuns(out)
    said = Html().report([*study.records, *other], runs)
    assert [path.name for path in runs.written] == ["report-2.html", "report.html"]
    assert said.count("is best of") == 2


def test_there_is_no_best_model_where_none_finds_anything(study: Study) -> None:
    nothing = [{**one, "metrics": _with_f1(one["metrics"], 0.0)} for one in study.records]
    found = replace(study, records=nothing)
    said = headline(found)
    assert said.startswith(f"none of {len(found.models)} finds an anomaly on hdfs-sim: f1 ") and "best" not in said
    assert figures(found)[0]["value"] == "none"
    drawn = ranking([*found.models, *found.rules]).description
    assert drawn.startswith("No model finds an anomaly: f1 ") and "is best" not in drawn
    assert " is best of " in headline(study) and "is best with f1" in ranking(study.models).description


def _with_f1(metrics: Any, value: float) -> Any:
    """Metrics whose every F1 is this value."""
    if not isinstance(metrics, dict):
        return metrics
    return {name: value if name == "f1" else _with_f1(one, value) for name, one in metrics.items()}


def test_the_title_of_a_definition_is_in_the_provenance(tmp_path: Path) -> None:
    (tmp_path / "web.log").write_text("".join(f"request {at} done in {at % 9} ms\n" for at in range(600)))
    (tmp_path / "web.toml").write_text("title = 'our web shop'\nfiles = ['web.log']\n")
    logbench.run("length", dataset=str(tmp_path / "web.toml"), out=tmp_path / "runs")
    runs = logbench.StoredRuns(tmp_path / "runs")
    (found,) = studies(runs.records(), runs)
    assert ("title", "our web shop") in provenance(found)["data"]
    (tmp_path / "web.toml").unlink()
    assert ("title", "your logs: web.log") in provenance(found)["data"]


def test_a_run_that_was_done_again_counts_once(study: Study) -> None:
    again = {**study.records[0], "run_id": "again"}
    (found,) = studies([*study.records, again], study.runs)
    assert len(found.records) == len(study.records) and "again" in {one["run_id"] for one in found.records}


def test_models_that_share_a_letter_are_bracketed(study: Study) -> None:
    figure = ranking(study.models, tied={"ecvc": "a", "pca": "ab", "new-event": "b", "isolation-forest": "c"})
    joined: dict[float, set[str]] = {}
    for row in figure.data["ties"]:
        joined.setdefault(row["at"], set()).add(row["name"])
    assert sorted(map(sorted, joined.values())) == [["ecvc", "pca"], ["new-event", "pca"]]
    assert min(joined) > 1 and not ranking(study.models).data["ties"]


def test_a_folder_without_records_is_named(tmp_path: Path) -> None:
    from logbench_reporters.report.command import command

    done = click.testing.CliRunner().invoke(command, ["--runs", str(tmp_path), "--out", str(tmp_path / "r.html")])
    assert isinstance(done.exception, logbench.DataError) and "--runs DIR" in str(done.exception)
