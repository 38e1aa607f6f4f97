"""A published table beside ours: cells, misses, rows that cannot run, and the tables that are shipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from logbench import ConfigError, EvaluationProtocol, Plan, Published, Table, testing
from logbench.base.options import make
from logbench.base.progress_bars import Bars
from logbench.components.registry import Registry
from logbench.running import records
from logbench.studies.reproduce import reproduce
from logbench.studies.workbench import Workbench

QUIET = Bars(enabled=False)
REGISTRY = Registry()
SIM = {"hdfs-sim": {"blocks": "1500"}, "protocol": {"train_units": "300"}}
ALL = Published(model="predict-all", metrics={"recall": 0.995, "f1": 0.9})


def table(*rows: Published, **facts: Any) -> Table:
    return Table(name="mine", summary="", source="", dataset="hdfs-sim", rows=rows, settings=SIM, **facts)


def cells(folder: Path, made: Table, *only: str) -> list[dict[str, Any]]:
    found = reproduce(made, Plan(model="", dataset="hdfs-sim", out=folder), only, Workbench.here(REGISTRY))
    return [{"model": row.model, **cell} for row, several, _ in found for cell in several]


def test_cells_are_the_runs_figures_and_a_miss_has_an_interval(tmp_path: Path) -> None:
    recall, f1 = cells(tmp_path, table(ALL, tolerance=0.01))
    (record,) = records.read(tmp_path)
    known = record["metrics"]["session"]["all"]
    assert (recall["ours"], f1["ours"]) == (known["recall"], known["f1"]) == (1.0, f1["ours"])
    assert recall["difference"] == pytest.approx(0.005) and recall["within"] and "low" not in recall
    assert not f1["within"] and f1["difference"] == f1["ours"] - 0.9
    assert f1["low"] < f1["ours"] < f1["high"], "another normal unit may be judged otherwise"
    assert f1["high"] - f1["low"] < 0.01, "but so far all are judged alike"


def test_a_table_sets_the_run_up_and_a_row_prevails(tmp_path: Path) -> None:
    preset = {"preset": "loglizer-unsupervised"}
    made = table(
        ALL, Published(model="length", metrics={"f1": 1.0}, settings={"protocol": {"short": "miss"}}), **preset
    )
    cells(tmp_path, made)
    first, second = records.read(tmp_path)
    assert first["protocol"]["train"] == second["protocol"]["train"] == "per_class_ratio"
    assert (first["protocol"]["short"], second["protocol"]["short"]) == ("flag", "miss")


def test_rows_that_cannot_run_say_why_and_stop_nothing(tmp_path: Path) -> None:
    rows = (
        Published(model="lof", metrics={"f1": 0.7}, unknown="parameters are not published"),
        Published(model="no-such", metrics={"f1": 0.7}),
        Published(model="decision-tree", metrics={"f1": 0.7}),
        ALL,
    )
    found = cells(tmp_path, table(*rows))
    assert [cell.get("why", "ran")[:20] for cell in found] == [
        "parameters are not p", "no model is called '", "a supervised model n", "ran", "ran"
    ]  # fmt: skip
    assert [r["status"] for r in records.read(tmp_path)] == ["skipped", "ok"]
    assert len(cells(tmp_path, table(*rows), "predict-all")) == 2
    with pytest.raises(ConfigError, match="has no row x; there is lof"):
        cells(tmp_path, table(*rows), "x")


def test_options_of_the_models_of_other_rows_are_no_mistake(tmp_path: Path) -> None:
    made = table(ALL, Published(model="n-gram", metrics={"f1": 1.0}))
    plan = Plan(model="", dataset="hdfs-sim", out=tmp_path, settings={"n-gram": {"n": 4}})
    ran = list(reproduce(made, plan, (), Workbench.here(REGISTRY)))
    assert [record and record["status"] for _, _, record in ran] == ["ok", "ok"]
    assert ran[1][2] and ran[1][2]["config"]["model"]["n"] == 4
    wrong = Plan(model="", dataset="hdfs-sim", out=tmp_path, settings={"knn": {"k": 4}})
    (_, (cell,), _), *_ = reproduce(table(made.rows[1]), wrong, (), Workbench.here(REGISTRY))
    assert "knn" in cell["why"]


def test_the_command_lists_tables(run_logbench: Any) -> None:
    listed = run_logbench("reproduce", "--json")
    names = {json.loads(line)["table"] for line in listed.out.splitlines()}
    assert {"ait-archive", "loglizer-hdfs"} <= names
    assert run_logbench("reproduce", "no-such").code == 2
    assert max(map(len, run_logbench("reproduce", COLUMNS="80").out.splitlines())) <= 80


@pytest.mark.parametrize("name", sorted(Registry().tables))
def test_a_shipped_table_names_what_there_is(name: str) -> None:
    known = Registry()
    shipped = known.table(name)
    assert shipped.source and shipped.split and shipped.remark, "published facts have a source"
    known.get("dataset", shipped.dataset)
    for row in shipped.rows:
        if not row.unknown:
            known.get("model", row.model)
        assert set(row.metrics) <= {"f1", "precision", "recall"} and all(0 < v <= 1 for v in row.metrics.values())
        for settings in (shipped.settings, row.settings):
            make(EvaluationProtocol, settings.get("protocol", {}), "protocol")
        if row.preset or shipped.preset:
            known.preset(row.preset or shipped.preset or "")


def test_a_third_party_table_is_offered() -> None:
    assert testing.registry(tables=[table(ALL)]).table("mine").rows == (ALL,)


def test_aits_table_is_reproduced_but_for_10_grams(shared_data: Path, tmp_path: Path) -> None:
    plan = Plan(model="", dataset="deeplog-archive", data=shared_data / "deeplog_archive", out=tmp_path)
    found = reproduce(Registry().table("ait-archive"), plan, (), Workbench.here(REGISTRY))
    missed = [row.model for row, several, _ in found for cell in several if not cell.get("within")]
    assert missed == ["10-gram"]
