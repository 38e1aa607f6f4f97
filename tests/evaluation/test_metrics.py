"""Metrics that have a direction: found by name, never better where they are worse, whoever asks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pytest

import logbench
from logbench import (
    ConfigError,
    DataError,
    EvaluatorComponent,
    Plan,
    PluginError,
    Published,
    Table,
    shown_metrics,
    testing,
)
from logbench.base.progress_bars import Bars
from logbench.components.registry import Registry
from logbench.evaluation.metrics import columns_of, direction, directions_of, figure, figures, named
from logbench.studies.asked_metric import check_metric
from logbench.studies.compare import compare, confidence
from logbench.studies.leaderboard import ranked
from logbench.studies.regression_bench import gate
from logbench.studies.regression_bench.figures import header
from logbench.studies.regression_bench.run_suite import run_suite
from logbench.studies.regression_bench.suite import read_suite
from logbench.studies.reproduce import reproduce
from logbench.studies.rescore import rescore
from logbench.studies.sweep.rows import sweep
from logbench.studies.workbench import Workbench
from logbench_evaluators.classification import Classification

QUIET = Bars(enabled=False)
SIM: dict[str, dict[str, Any]] = {"dataset": {"blocks": 400}, "protocol": {"train_units": 100}}


class Cost:
    """False alarms, and ten for each missed anomaly."""

    directions: ClassVar[Mapping[str, str]] = {"cost": "lower"}

    def evaluate(self, units: pl.DataFrame) -> Mapping[str, Any]:
        wrong = units.filter(pl.col("verdict") != (pl.col("label") == 1))
        return {"cost": float(wrong.select((1 + 9 * pl.col("label")).sum()).item()), "units": len(units)}


@dataclass(frozen=True)
class Price:
    miss: float = 10.0


@pytest.fixture
def registry() -> Registry:
    return testing.registry(evaluators=[EvaluatorComponent("cost", Cost)])


def run(registry: Registry, out: Path, *models: str, **options: Any) -> list[dict[str, Any]]:
    asked: dict[str, Any] = {"settings": SIM, "evaluators": ("classification", "cost"), **options}
    found = logbench.run(models, dataset="hdfs-sim", registry=registry, out=out, **asked)
    assert [record.status for record in found] == ["ok"] * len(models)
    return [record.as_dict() for record in found]


def record(metric: str, value: float | None, way: str | None, model: str = "m", **more: Any) -> dict[str, Any]:
    return {
        "run_id": model, "model": model, "seed": 0, "status": "ok",
        "dataset": {"unit": "session"}, "split": {}, "protocol": {"duplicates": "all", "split_seed": 0},
        "metrics": {"session": {"all": {metric: value}, "distinct": None}},
        "directions": {"session": {} if way is None else {metric: way, "other": way}},
        **more,
    }  # fmt: skip


def test_a_figure_is_found_by_the_name_that_its_place_gives_it() -> None:
    metrics = {
        "session": {"all": {"f1": 0.5}, "distinct": {"f1": 0.25}},
        "cost": {"all": {"cost": 7}, "distinct": {"cost": 3}},
        "event": {"all": {"f1": 0.75}, "distinct": None},
    }
    assert named(metrics, "session", "all") == {"f1": 0.5, "cost.cost": 7, "event.f1": 0.75}
    assert named(metrics, "session", "unique") == {"f1": 0.25, "cost.cost": 3, "event.f1": 0.75}
    metrics["session"]["distinct"] = None
    assert named(metrics, "session", "unique") == {"cost.cost": 3, "event.f1": 0.75}


@pytest.mark.parametrize(("way", "worse"), [("higher", [False, False, True]), ("lower", [False, True, False])])
def test_worse_is_by_the_direction(way: str, worse: list[bool]) -> None:
    rows = compare([record("x", value, way) for value in (50.0, 290.0, 10.0)], "x", 5)
    assert [row["worse"] for row in rows] == worse
    assert [row["difference"] for row in rows] == [0, 240, -40], "the difference is what it is"


def test_what_cannot_be_worse_is_one_line() -> None:
    with pytest.raises(ConfigError, match=r"^x has no direction, so none is better or worse; y have one$"):
        compare([record("x", 1.0, None, directions={"session": {"y": "higher"}})], "x", 0)
    with pytest.raises(ConfigError, match=r"does not say which way its metrics are better; .*logbench rescore m"):
        compare([record("x", 1.0, None, directions={})], "x", 0)
    with pytest.raises(ConfigError, match="m has no metric 'y'; there is x"):
        compare([record("x", 1.0, "higher")], "y", 0)
    with pytest.raises(ConfigError, match="x of m is undefined"):
        compare([record("x", None, "higher")], "x", 0)
    with pytest.raises(DataError, match="x is better lower, unlike in m"):
        compare([record("x", 1.0, "higher"), record("x", 1.0, "lower")], "x", 0)


@pytest.mark.parametrize("declared", [{"x": "up"}, {"x": None}, "higher"])
def test_a_direction_that_is_none_is_refused(declared: Any) -> None:
    evaluator = type("Wrong", (Cost,), {"directions": declared})()
    with pytest.raises(PluginError, match="evaluator 'mine': direction"):
        directions_of({"mine": evaluator}, "session")


@pytest.mark.parametrize(("way", "order"), [("higher", ["high", "low"]), ("lower", ["low", "high"])])
def test_the_best_stands_first_and_runs_without_the_metric_last(way: str, order: list[str]) -> None:
    fails = record("x", 0.0, way, "fails", status="error", metrics={})
    undefined = record("x", None, way, "undefined")
    found = [fails, record("x", 1.0, way, "low"), undefined, record("x", 9.0, way, "high")]
    places = [one["model"] for one in ranked(found, "x")]
    assert places[:2] == order and set(places[2:]) == {"fails", "undefined"}
    with pytest.raises(ConfigError, match="x has no direction"):
        ranked([record("x", 1.0, None, directions={"session": {"y": "higher"}})], "x")


def test_the_record_says_which_way_and_every_command_finds_the_metric(registry: Registry, tmp_path: Path) -> None:
    """Alarming at everything costs most here, so that F1 and cost order the models alike, but not the numbers."""
    everything, new = run(registry, tmp_path, "predict-all", "new-event")
    assert everything["directions"] == {"session": dict(Classification.directions), "cost": {"cost": "lower"}}
    assert figure(everything, "cost.cost") == everything["metrics"]["cost"]["all"]["cost"] > 0
    dear, cheap = figure(everything, "cost.cost"), figure(new, "cost.cost")
    assert dear is not None and cheap is not None and dear > cheap
    assert [row["worse"] for row in compare([everything, new], "cost.cost", 0)] == [False, False]
    assert [row["worse"] for row in compare([new, everything], "cost.cost", 0)] == [False, True]
    assert [one["model"] for one in ranked([everything, new], "cost.cost")] == ["new-event", "predict-all"]
    assert direction(new, "fn") == "lower", "fewer misses are not worse"


SUITE = """
evaluators = ["cost"]
gates = {"cost.cost" = 5}
models = ["MODEL"]
protocols.p.train_units = 100
datasets.hdfs-sim.blocks = 400
"""


def test_a_suite_gates_what_must_not_rise(registry: Registry, tmp_path: Path) -> None:
    files = []
    for model in ("new-event", "predict-all"):
        (tmp_path / "s.toml").write_text(SUITE.replace('["MODEL"]', f'{{m = {{model = "{model}"}}}}'))
        suite = read_suite(tmp_path / "s.toml")
        (pair,) = run_suite(suite, Workbench.here(registry), tmp_path / "out")
        row = {**pair[0], "identity": {}}
        files.append((header(suite, [pair[1]]), [row]))
        assert row["metrics"].keys() == {"cost.cost"}
    cheap, dear = files
    assert cheap[0]["directions"] == {"cost.cost": "lower"}
    assert [gate.compare(*pair)[0]["state"] for pair in ((cheap, dear), (dear, cheap))] == [
        "WORSE",
        "better",
    ]


def test_a_published_metric_that_no_evaluator_gives_is_a_line(registry: Registry, tmp_path: Path) -> None:
    row = Published(model="new-event", metrics={"recal": 1.0, "cost.cost": 1e6, "recall": 0.0})
    table = Table(name="t", summary="", source="", dataset="hdfs-sim", rows=[row], settings=SIM)
    plan = Plan(model="", dataset="hdfs-sim", out=tmp_path, evaluators=("classification", "cost"))
    ((_, cells, _),) = reproduce(table, plan, (), Workbench.here(registry))
    unknown, dear, missed = cells
    assert unknown["unknown"] and "has no metric 'recal'; there is tp" in unknown["why"]
    assert not dear["within"] and dear["better"], "a million was published, and lower is better"
    assert not missed["within"] and missed["better"] and "low" in missed


def test_a_sweep_shows_metrics_of_any_evaluator(registry: Registry, tmp_path: Path) -> None:
    plan = Plan(model="ecvc", dataset="hdfs-sim", settings=SIM, out=tmp_path, evaluators=("cost",))
    rows = list(sweep(plan, ["value=0.01,9"], Workbench.here(registry)))
    assert [row["metrics"].keys() for row in rows] == [{"cost.cost", "cost.units"}] * 4
    assert all(row["directions"] == {"cost.cost": "lower"} and row["difference"] is None for row in rows)
    assert rows[0]["metrics"] != rows[1]["metrics"]


def test_first_party_metrics_with_no_direction_are_those_that_judge_nothing() -> None:
    units = pl.DataFrame({"label": [0, 1], "score": [0.0, 1.0], "verdict": [False, True], "weight": [1.0, 1.0]})
    given = Classification().evaluate(units).keys()
    assert given - Classification.directions.keys() == {"tp", "tn", "prevalence"}
    assert not figures(record("x", 1.0, "higher", metrics={}))


class Weighted:
    """What `Cost` says, as it should be computed."""

    directions: ClassVar[Mapping[str, str]] = {"cost": "lower"}

    def evaluate(self, units: pl.DataFrame) -> Mapping[str, Any]:
        wrong = units.filter(pl.col("verdict") != (pl.col("label") == 1))
        return {"cost": float(((1 + 9 * wrong["label"]) * wrong["weight"]).sum())}


class Priced:
    """Misses at a price, and false alarms."""

    directions: ClassVar[Mapping[str, str]] = {"cost": "lower"}

    def __init__(self, config: Price) -> None:
        self.miss = config.miss

    def evaluate(self, units: pl.DataFrame) -> Mapping[str, Any]:
        wrong = units.filter(pl.col("verdict") != (pl.col("label") == 1))
        price = wrong["weight"] * (1 + (self.miss - 1) * wrong["label"])
        return {"cost": float(price.sum()), "late": self.miss}


def test_a_run_is_rescored_by_further_evaluators_with_options(tmp_path: Path) -> None:
    found = testing.registry(evaluators=[EvaluatorComponent("priced", Priced, Price)])
    (old,) = run(found, tmp_path, "new-event", evaluators=())
    units = old["metrics"]["session"]["all"]
    new = rescore(old, tmp_path, {}, ("priced",), found, "", {"priced": {"miss": "20"}}).as_dict()
    assert new["metrics"]["priced"]["all"]["cost"] == units["fp"] + 20 * units["fn"]
    assert new["metrics"]["session"] == old["metrics"]["session"] and new["columns"]["priced"] == ["cost"]
    assert new["config"]["evaluators"]["priced"] == {"miss": 20.0}
    assert new["trivial"]["short"]["priced"]["all"]["late"] == 20
    again = rescore(new, tmp_path, {"threshold": "oracle"}, (), found, "").as_dict()
    assert again["config"]["evaluators"] == new["config"]["evaluators"], "as they were, options too"
    with pytest.raises(
        ConfigError, match=r"--set prized\.…: only the protocol and evaluators .* classification, pr"
    ):
        rescore(old, tmp_path, {}, ("priced",), found, "", {"prized": {"miss": "20"}})
    with pytest.raises(DataError, match=r"not comparable: priced \(miss: 20.0 against 5.0\)"):
        compare([new, rescore(new, tmp_path, {}, (), found, "", {"priced": {"miss": "5"}}).as_dict()],
                "priced.cost", 0)  # fmt: skip
    bare = rescore(new, tmp_path, {}, (), testing.registry(), "").as_dict()
    assert bare["metrics"].keys() == {"session"}
    assert any("evaluator priced is not installed, so its metrics are gone" in text for text in bare["notes"])
    with pytest.raises(ConfigError, match=f"compute it: logbench rescore {old['run_id']} --evaluator priced"):
        figure(old, "priced.cost")
    with pytest.raises(ConfigError, match=r"no metric 'priced.cots'; there is .*priced\.cost"):
        figure(new, "priced.cots")


@pytest.mark.parametrize("duplicates", ["all", "unique"])
def test_a_difference_of_any_metric_has_an_interval_through_its_evaluator(tmp_path: Path, duplicates: str) -> None:
    registry = testing.registry(evaluators=[EvaluatorComponent("cost", Weighted)])
    settings = {**SIM, "protocol": {**SIM["protocol"], "duplicates": duplicates}}
    pair = run(registry, tmp_path, "predict-all", "new-event", settings=settings)
    asked: dict[str, Any] = {"registry": registry, "resamples": 50}
    for metric in ("cost.cost", "auroc"):
        found, notes = confidence(pair[0], pair[1], tmp_path, metric, 9, 0, **asked)
        values = [figure(one, metric) for one in pair]
        assert found["low"] < values[1] - values[0] < found["high"], (metric, notes)  # type: ignore[operator]
        assert found["p"] is None and found["clusters"] > found["effective"] > 2
    other = {"all": {"cost": -1.0}, "distinct": {"cost": -1.0}}
    for wrong, why in (
        ({"metrics": {**pair[1]["metrics"], "cost": other}}, "gives .* of the stored scores .* the run has -1.0"),
        ({"config": {"evaluators": {}}}, "no evaluator of .* computes it of units"),
    ):
        found, notes = confidence(pair[0], {**pair[1], **wrong}, tmp_path, "cost.cost", 9, 0, **asked)
        assert found["low"] is None and re.search(f"no interval of cost.cost: .*{why}", notes[0])
    (gone, notes) = confidence(*pair, tmp_path, "cost.cost", 9, 0, registry=testing.registry(), resamples=50)
    assert (
        gone["low"] is None
        and "evaluator 'cost' is not installed; one in a file: --evaluator ./cost.py" in notes[0]
    )


def test_an_evaluator_that_counts_rows_has_no_interval(registry: Registry, tmp_path: Path) -> None:
    """`Cost` looks at no weight, so that a unit drawn twice would count once."""
    pair = run(registry, tmp_path, "predict-all", "new-event")
    found, notes = confidence(*pair, tmp_path, "cost.cost", 9, 0, registry=registry, resamples=50)
    assert found["low"] is None and "counts rows instead of weights" in notes[0]


def test_columns_are_those_declared_or_those_with_a_direction() -> None:
    plain, chosen = Cost(), type("Chosen", (Cost,), {"columns": ("units", "cost")})()
    none = type("None_", (), {"evaluate": Cost.evaluate})()
    found = columns_of(
        {"plain": plain, "chosen": chosen, "none": none, "classification": Classification()}, "session"
    )
    usual = ["f1", "precision", "recall", "mcc", "auroc", "auprc"]
    assert found == {"plain": ["cost"], "chosen": ["units", "cost"], "none": [], "session": usual}
    named = shown_metrics({"dataset": {"unit": "session"}, "columns": found})
    assert named == [*usual, "plain.cost", "chosen.units", "chosen.cost"]
    assert shown_metrics({"dataset": {"unit": "session"}}) == []
    for wrong in ("cost", 3, [1]):
        with pytest.raises(PluginError, match="evaluator 'mine': columns must be names of metrics"):
            columns_of({"mine": type("Wrong", (Cost,), {"columns": wrong})()}, "session")


def test_a_metric_that_no_run_will_have_is_refused_before_any_runs(registry: Registry, tmp_path: Path) -> None:
    plan = Plan(model="ecvc", dataset="hdfs-sim", settings=SIM, out=tmp_path / "none")
    bench = Workbench.here(registry)
    for metric, ranks, why in (
        ("nope", False, "no evaluator gives 'nope'; there is auprc"),
        ("recal", False, "no evaluator gives 'recal'; did you mean 'recall'?"),
        ("cost.cost", False, "no evaluator gives 'cost.cost'; ask it: --evaluator cost"),
        ("tp", True, "tp has no direction"),
    ):
        with pytest.raises(ConfigError, match=re.escape(why)):
            check_metric(plan, metric, bench, ranks=ranks)
    check_metric(plan, "tp", bench, ranks=False)
    typed = replace(plan, evaluators=("types",))
    check_metric(typed, "types.recall:a type of the data", bench, ranks=False)
    for metric in ("types.recal:a", "types.nope"):
        with pytest.raises(ConfigError, match="no evaluator gives") as refused:
            check_metric(typed, metric, bench, ranks=False)
        assert "recall:a" not in str(refused.value), "which no data need have"
    with pytest.raises(ConfigError, match="no evaluator gives 'nope'"):
        next(sweep(plan, ["value=0.01,9"], bench, "nope"))
    (tmp_path / "s.toml").write_text(SUITE.replace("MODEL", "ecvc").replace("cost.cost", "cost.cots"))
    with pytest.raises(ConfigError, match=r"s: gates\.cost\.cots: no evaluator gives 'cost.cots'; did you mean"):
        next(run_suite(read_suite(tmp_path / "s.toml"), bench, tmp_path / "none"))
    assert not (tmp_path / "none").exists()


def test_an_evaluator_that_wants_more_of_units_is_let_run(tmp_path: Path) -> None:
    class Wants(Cost):
        def evaluate(self, units: pl.DataFrame) -> Mapping[str, Any]:
            return {"cost": float(units["unit"].n_unique())}

    found = testing.registry(evaluators=[EvaluatorComponent("wants", Wants)])
    plan = Plan(model="ecvc", dataset="hdfs-sim", settings=SIM, out=tmp_path, evaluators=("wants",))
    check_metric(plan, "wants.cost", Workbench.here(found), ranks=True)
    check_metric(plan, "wants.cots", Workbench.here(found), ranks=False)
