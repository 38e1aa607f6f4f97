"""Runs in slices: against batch runs and independent counts; what a model may learn, and when."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from labelled_log import registry as lines_registry
from labelled_log import run_one, write

import logbench
from logbench import Context, DatasetComponent, ModelComponent, ModelTraits, RunRecord, Sessions, testing
from logbench.components.registry import Registry

SMALL = {"jobs": 400, "anomalies": 0.05}
PREQUENTIAL = {"train": "ratio", "train_ratio": 0.2, "procedure": "prequential", "slices": 5}
NORMAL = ModelTraits(stochastic=False, keys_only=True)


def run(
    model: Any,
    folder: Path,
    registry: Registry | None = None,
    data: Any = None,
    dataset: str = "drift-sim",
    **protocol: Any,
) -> RunRecord:
    settings = {"protocol": {**PREQUENTIAL, **protocol}, "dataset": {**SMALL, **(data or {})}}
    (record,) = logbench.run(model, dataset=dataset, out=folder, settings=settings, registry=registry)
    assert record.status == "ok", record.error
    return record


def stored(record: RunRecord, folder: Path) -> pl.DataFrame:
    return pl.read_parquet(folder / record.artifacts["scores"]).filter(pl.col("part") == "test")


def slices_of(record: RunRecord) -> list[Any]:
    return list(record.stream["slices"])


def test_a_kept_model_scores_and_decides_as_in_a_batch_run(tmp_path: Path) -> None:
    record = run("markov", tmp_path)
    batch = {name: value for name, value in PREQUENTIAL.items() if name != "slices"}
    settings = {"protocol": {**batch, "procedure": "batch"}, "drift-sim": SMALL}
    (once,) = logbench.run("markov", dataset="drift-sim", out=tmp_path, settings=settings)
    columns = ["unit", "score", "verdict", "label", "sequence", "unseen"]
    mine, its = (stored(one, tmp_path).select(columns).sort("unit") for one in (record, once))
    assert mine.equals(its)
    assert record.metrics == once.metrics and record.threshold == once.threshold
    assert record.stream["learning"] == "kept" and record.audit["stream"]["learned"] == 0
    assert once.stream == {} and "stream" not in once.audit


def test_metrics_of_slices_are_those_that_a_loop_counts(tmp_path: Path) -> None:
    record = run("n-gram-online", tmp_path, feedback_budget=5)
    scores = stored(record, tmp_path)
    assert [one["units"] for one in slices_of(record)] == [64] * 5
    seen = 0
    for number, one in enumerate(slices_of(record), 1):
        rows = scores.filter(pl.col("slice") == number).rows(named=True)
        seen += len(rows)
        cells = {"tp": 0, "fp": 0, "fn": 0, "tn": 0}
        for row in rows:
            assert row["verdict"] == (row["score"] > float(one["exact"]))
            cells[("tp" if row["label"] else "fp") if row["verdict"] else ("fn" if row["label"] else "tn")] += 1
        found = one["metrics"]["job"]
        assert {name: found[name] for name in cells} == cells
        assert found["precision"] == pytest.approx(cells["tp"] / max(cells["tp"] + cells["fp"], 1))
        assert found["recall"] == pytest.approx(cells["tp"] / max(cells["tp"] + cells["fn"], 1))
        assert one["alarms"] == cells["tp"] + cells["fp"] and one["anomalies"] == cells["tp"] + cells["fn"]
    assert seen == record.split["test"]


def test_online_models_recover_where_a_kept_one_falls(tmp_path: Path) -> None:
    """After the update and the changed workflow false alarms stay for good, or until feedback said enough."""
    changes = {"jobs": 1000, "templates_at": 0.4, "workflow_at": 0.7, "rates_from": 1.0}
    runs = (
        run("n-gram", tmp_path, data=changes, slices=16),
        run("n-gram-online", tmp_path, data=changes, slices=16, feedback_budget=15),
    )
    kept, online = ([int(one["metrics"]["job"]["fp"]) for one in slices_of(record)] for record in runs)
    update, workflow = 4, 10  # slices of 50 jobs, from job 200 on
    assert max(kept[:update]) <= 3 and min(kept[update:]) >= 40
    assert min(online[update], online[workflow]) >= 30  # nobody can know the first slice after a change
    assert max(online[workflow - 1], online[-1]) <= 15


class Spy:
    """Remembers what it is told, and how many units it saw when it was asked to score."""

    log: list[Any]

    def fit(self, train: Sessions, context: Context) -> None:
        assert train.labels is None
        self.log.append(("fit", len(train), train.vocabulary))

    def score(self, sessions: Sessions, context: Context) -> Any:
        assert sessions.labels is None and (context.held_out is None or context.held_out.labels is None)
        self.log.append(("score", len(sessions), sessions.vocabulary))
        return (sessions.lengths % 4).astype(float)

    def update(self, unit: Sessions, verdict: bool, label: int | None) -> None:
        assert unit.labels is None and len(unit) == 1
        self.log.append(("update", unit.keys.tolist(), verdict, label))


def spying(traits: ModelTraits = NORMAL) -> tuple[Registry, list[Any]]:
    log: list[Any] = []
    kind = type("Spy", (Spy,), {"log": log})
    return testing.registry(models=[ModelComponent("spy", kind, traits=traits)]), log


def told(log: list[Any]) -> list[int]:
    return [entry[3] for entry in log if entry[0] == "update" and entry[3] is not None]


@pytest.mark.parametrize(("budget", "delay"), [(0, 0), (3, 0), (1000, 0), (4, 100)])
def test_labels_of_alarms_alone_are_told_within_the_budget(tmp_path: Path, budget: int, delay: int) -> None:
    registry, log = spying()
    asked = {"feedback_budget": budget, "feedback_delay": delay, "threshold": "fixed", "value": 2.5}
    record = run("spy", tmp_path, registry, **asked)
    scores, alarms = stored(record, tmp_path), {}
    for row in scores.filter("verdict").group_by("slice").agg(pl.len()).rows():
        alarms[row[0]] = row[1]
    feedback = [one["feedback"] for one in slices_of(record)]
    assert [one["alarms"] for one in feedback] == [alarms.get(number, 0) for number in range(1, 6)]
    assert [one["asked"] for one in feedback] == [min(one["alarms"], budget) for one in feedback]
    said = sum(one["normal"] + one["anomalous"] for one in feedback)
    assert len(told(log)) == said == record.audit["stream"]["told"]
    assert said + record.stream["waiting"] == sum(one["asked"] for one in feedback)
    assert sum(told(log)) == sum(one["anomalous"] for one in feedback)
    assert all(entry[2] for entry in log if entry[0] == "update" and entry[3] is not None)
    updates = [entry for entry in log if entry[0] == "update"]
    assert len(updates) == record.split["test"] - record.stream["waiting"]  # each unit once
    if delay == 100:  # a slice has 64 units
        assert feedback[0]["normal"] + feedback[0]["anomalous"] == 0 < said


def test_an_unsupervised_model_is_told_no_label(tmp_path: Path) -> None:
    registry, log = spying(ModelTraits(supervision="unsupervised", stochastic=False))
    record = run("spy", tmp_path, registry, feedback_budget=50, threshold="fixed", value=2.5)
    assert told(log) == [] and record.audit["stream"]["told"] == 0
    assert sum(one["alarms"] for one in slices_of(record)) > 0


def test_all_of_a_slice_is_scored_before_anything_is_learned_from_it(tmp_path: Path) -> None:
    registry, log = spying()
    run("spy", tmp_path, registry)
    order = [entry[0] for entry in log]
    runs = [name for at, name in enumerate(order) if at == 0 or order[at - 1] != name]
    assert runs == ["fit", *["score", "update"] * 5]
    sizes = [entry[2] for entry in log if entry[0] == "score"]
    assert sizes == sorted(sizes) and sizes[0] == log[0][2] < sizes[-1]  # templates become known, never before


class Cheat(Spy):
    """Alarms on everything, keeps each label that it is told, and looks for others wherever it can."""

    def score(self, sessions: Sessions, context: Context) -> Any:
        for name in ("labels", "line_labels", "lines"):
            assert getattr(sessions, name) is None
        assert all(name.isdecimal() for name in sessions.ids)
        known = {tuple(keys): label for _, keys, _, label in [e for e in self.log if e[0] == "update"]}
        return np.array([1.0 + (known.get(tuple(unit.keys.tolist())) or 0) for unit in sessions])


def turned(change: Callable[[pl.DataFrame], pl.DataFrame]) -> DatasetComponent[Any]:
    """`drift-sim` under other labels, as data set `turned`."""
    found = Registry().get("dataset", "drift-sim").item

    class Other(found.build):  # type: ignore[name-defined, misc]
        def read(self, path: Path) -> Any:
            lines = super().read(path)
            return replace(lines, labels=lambda: change(lines.labels()))

    return replace(found, name="turned", build=Other)


@pytest.mark.parametrize("last_known", [1, 3])
def test_no_label_of_the_future_moves_a_score(tmp_path: Path, last_known: int) -> None:
    """Every label after a slice is turned round: all scores up to the next slice stay what they were."""
    scores = []
    for turn in (False, True):
        kind = type("Cheat", (Cheat,), {"log": []})
        begin = round(0.2 * SMALL["jobs"]) + 64 * last_known

        def change(labels: pl.DataFrame, turn: bool = turn, begin: int = begin) -> pl.DataFrame:
            late = pl.col("unit").str.slice(4).cast(pl.Int64) >= begin + 5  # jobs overlap a little
            return labels.with_columns(label=pl.when(late & turn).then(1 - pl.col("label")).otherwise("label"))

        folder = tmp_path / str(turn)
        cheat = ModelComponent("cheat", kind, traits=NORMAL)
        registry = testing.registry(models=[cheat], datasets=[turned(change)])
        asked = {"feedback_budget": 100, "threshold": "fixed", "value": 0.5}
        record = run("cheat", folder, registry, dataset="turned", **asked)
        scores.append(stored(record, folder).select("unit", "slice", "raw").sort("slice", "unit"))
    early = pl.col("slice") <= last_known + 1
    assert scores[0].filter(early).equals(scores[1].filter(early))
    assert not scores[0].equals(scores[1])  # what was told in time is used


def test_labels_of_units_without_an_alarm_move_nothing(tmp_path: Path) -> None:
    plain = run("n-gram-online", tmp_path / "a", feedback_budget=1000)
    quiet = stored(plain, tmp_path / "a").filter(~pl.col("verdict"))["unit"]

    def change(labels: pl.DataFrame) -> pl.DataFrame:
        turned = pl.col("unit").is_in(quiet.implode())
        return labels.with_columns(label=pl.when(turned).then(1 - pl.col("label")).otherwise("label"))

    registry = testing.registry(datasets=[turned(change)])
    other = run("n-gram-online", tmp_path / "b", registry, dataset="turned", feedback_budget=1000)
    mine, its = (stored(one, tmp_path / name).select("unit", "raw") for one, name in ((plain, "a"), (other, "b")))
    assert mine.sort("unit").equals(its.sort("unit"))


def test_a_refitted_model_is_a_batch_run_on_all_that_is_past(tmp_path: Path) -> None:
    """Of the last slice: its scores are those of a model that trains on all before."""
    asked = {"without_update": "refit", "held_out": 0.0, "threshold": "fixed"}
    record = run("new-event", tmp_path, data={"jobs": 300}, **asked)
    scores = stored(record, tmp_path)
    assert record.stream["learning"] == "refitted"
    last = scores.filter(pl.col("slice") == 5)
    past = {"train": "ratio", "train_ratio": 1 - len(last) / 300, "held_out": 0.0, "threshold": "fixed"}
    past["procedure"] = "batch"
    settings = {"protocol": past, "drift-sim": {**SMALL, "jobs": 300}}
    (once,) = logbench.run("new-event", dataset="drift-sim", out=tmp_path, settings=settings)
    its = stored(once, tmp_path).select("unit", "raw")
    both = last.select("unit", "raw").join(its, "unit")
    assert len(both) >= len(last) - 3 and both["raw"].equals(both["raw_right"])
    assert 0 < both["raw"].sum() < len(both)


def test_records_are_counted_again_and_scores_of_slices_not_decided_anew(tmp_path: Path) -> None:
    from logbench.studies.recount import recounted
    from logbench.studies.rescore import rescore

    registry = testing.registry()
    record = run("markov-online", tmp_path, feedback_budget=5).as_dict()
    assert [text for text, wrong in recounted(record, tmp_path, registry) if wrong] == []
    record["stream"]["slices"][2]["metrics"]["job"]["f1"] = 0.99
    assert "stream" in next(text for text, wrong in recounted(record, tmp_path, registry) if wrong)
    with pytest.raises(logbench.ConfigError, match="prequential decides a slice before it scores the next"):
        rescore(record, tmp_path, {"alpha": 0.1}, (), registry, "")


def of_rows(model: str, rows: Any, folder: Path, **protocol: Any) -> pl.DataFrame:
    """Scores of a stream of key sequences, 20 of 100 of which train, the others in four slices."""
    fields = {"train": "ratio", "train_ratio": 0.2, "procedure": "prequential", "slices": 4, **protocol}
    (record,) = logbench.run(model, dataset=rows, out=folder, settings={"protocol": fields})
    assert record.status == "ok", record.error
    return stored(record, folder).select("unit", "slice", "raw").sort("unit")


@pytest.mark.parametrize(("model", "protocol"), [("n-gram", {}), ("n-gram-online", {"feedback_budget": 99}),
                                                 ("new-event-online", {"feedback_budget": 99})])  # fmt: skip
def test_the_order_within_a_slice_moves_no_score(tmp_path: Path, model: str, protocol: Any) -> None:
    """Of models whose learning does not depend on order, with a budget for all alarms and labels without delay."""
    rng = np.random.default_rng(4)
    usual = [[0, 1, 2, 3, 4, 5], [0, 2, 1, 3, 4, 5], [0, 1, 2, 2, 3, 5]]
    later = [[0, 1, 6, 3, 4, 5], [0, 2, 6, 7, 4, 5], [0, 1, 2, 8, 3, 5]]
    keys = [(usual if at < 50 else later)[int(rng.integers(3))] for at in range(100)]
    labels = (rng.random(100) < 0.1).astype(int)
    labels[:20] = 0
    units = [(f"u{at}", keys[at], int(labels[at])) for at in range(100)]
    mixed = [*units[:20], *(units[at] for begin in range(20, 100, 20) for at in begin + rng.permutation(20))]
    columns = ["unit", "keys", "label"]
    scores = [
        of_rows(model, pl.DataFrame(rows, schema=columns, orient="row"), tmp_path / name, **protocol)
        for name, rows in (("a", units), ("b", mixed))
    ]
    assert units != mixed and scores[0].equals(scores[1])
    assert 0 < (scores[0]["raw"] > 0).sum() < 80


def test_windows_and_lines_with_labels_are_a_stream(tmp_path: Path) -> None:
    rows = [(f"step {second % 5} of job", int(second % 97 == 0), second, "n1") for second in range(400)]
    fields = {"train": "ratio", "train_ratio": 0.25, "procedure": "prequential", "slice_units": 12}
    settings = {"protocol": fields, "count": {"size": 5}}
    record = run_one(write(tmp_path / "log", rows), lines_registry(), "markov-online", settings)
    assert record.status == "ok", record.error
    assert record.audit["lines_cut"] and record.audit["chronological"] == "lines"
    assert [one["units"] for one in slices_of(record)] == [12, 12, 12, 12, 12]
    lines = [(one["first_line"], one["last_line"]) for one in slices_of(record)]
    assert lines == [(100 + 60 * at, 159 + 60 * at) for at in range(5)]
    times = [one["last_time"] for one in slices_of(record)]
    assert times == sorted(times) and times[0] is not None
    settings = {"protocol": fields, "count": {"size": 5, "stride": 2}}
    record = run_one(tmp_path / "log", lines_registry(), "markov-online", settings)
    assert record.status == "skipped" and "overlapping windows of two slices" in str(record.error)


def test_a_model_in_a_process_of_its_own_learns_the_same(tmp_path: Path, run_logbench: Any) -> None:
    asked = {"feedback_budget": 8, "feedback_delay": 10}
    record = run("n-gram-online", tmp_path / "here", **asked)
    fields = {**PREQUENTIAL, **asked}
    words = [word for name, value in fields.items() for word in ("--set", f"protocol.{name}={value}")]
    words += [word for name, value in SMALL.items() for word in ("--set", f"dataset.{name}={value}")]
    words += ["--dataset", "drift-sim", "--no-baselines", "--out", str(tmp_path / "there")]
    run_logbench("run", "n-gram-online", *words)
    (there,) = [json.loads(line) for line in (tmp_path / "there" / "records.jsonl").read_text().splitlines()]
    assert there["isolation"] == "worker" and there["audit"].get("files", []) == []
    assert there["stream"] == record.as_dict()["stream"]
    mine = stored(record, tmp_path / "here")
    its = pl.read_parquet(tmp_path / "there" / there["artifacts"]["scores"]).filter(pl.col("part") == "test")
    assert mine.select("unit", "raw", "verdict", "slice").equals(its.select("unit", "raw", "verdict", "slice"))


def test_what_needs_one_decision_says_so(tmp_path: Path) -> None:
    from logbench.running.resolve import resolve
    from logbench.studies.sweep.decisions import deciders_of

    settings = {"protocol": PREQUENTIAL, "dataset": SMALL}
    plan = logbench.Plan(model="markov", dataset="drift-sim", settings=settings)
    with pytest.raises(logbench.ConfigError, match="sweep decides stored scores anew"):
        deciders_of(resolve(plan, Registry()), [])
    options = {"settings": settings, "out": tmp_path, "save": tmp_path / "bundle"}
    (record,) = logbench.run("markov", dataset="drift-sim", **options)
    assert record.status == "skipped" and "--save keeps a model that is fitted once" in str(record.error)
