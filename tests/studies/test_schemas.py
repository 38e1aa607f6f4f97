"""JSON Schemas: every record that a run writes is valid, and what is wrong is found."""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from labelled_log import Row, registry, run_one, write
from schema_faults import faults, own_faults, unknown_keys
from snippets import ROOT
from with_torch import TORCH, needs_torch

import logbench
from logbench.components.registry import Registry
from logbench.running import records
from logbench.studies import schemas
from logbench.studies.rescore import rescore
from logbench_ownlogs.example import example

SMALL: dict[str, Any] = {"dataset": {"blocks": 600}, "protocol": {"train_units": 300}}
# Plugins add keys to these.
FREE = frozenset({"DatasetFacts", "StageFacts"})


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Records as `records.jsonl` holds them, by how the runs ended or what is special of them."""
    out = tmp_path_factory.mktemp("runs")

    def hdfs(model: str, settings: dict[str, Any] = SMALL, **options: Any) -> dict[str, Any]:
        logbench.run(model, dataset="hdfs-sim", settings=settings, out=out, **options)
        return list(records.read(out))[-1]

    rows: list[Row] = [
        (f"step {at % 3}" if at % 50 else "odd", int(at > 400 and not at % 50), at, "n") for at in range(800)
    ]
    log = write(out / "log", rows)
    split = {"protocol": {"train": "ratio", "train_ratio": 0.5}, "count": {"size": 10}}
    made = {"ok": hdfs("new-event", save=out / "saved"), "combination": hdfs("new-event+length")}
    rescore(made["ok"], out, {"threshold": "oracle"}, (), Registry(), "")
    made["rescored"] = list(records.read(out))[-1]
    made["skipped"] = hdfs("timing", {**SMALL, "protocol": {"min_events": 1}})
    made["error"] = hdfs("length", data=out / "absent")
    made["labelled lines"] = run_one(log, registry(), "new-event", settings=split, out=out).as_dict()
    if TORCH:
        made["unjudged events"] = hdfs("deeplog", {**SMALL, "deeplog": {"passes": 1, "pad": False}})
    return made


KINDS = ("ok", "combination", "rescored", "skipped", "error", "labelled lines")


@pytest.mark.parametrize("kind", [*KINDS, pytest.param("unjudged events", marks=needs_torch)])
def test_a_record_of_a_run_is_valid(stored: dict[str, dict[str, Any]], kind: str) -> None:
    record = stored[kind]
    assert record["status"] == (kind if kind in ("skipped", "error") else "ok"), record["error"]
    assert not faults(schemas.record_schema(), record)
    assert not own_faults(schemas.record_schema(), record)
    assert not unknown_keys(schemas.record_schema(), record, FREE)


def test_line_labels_and_combinations_are_among_the_records(stored: dict[str, dict[str, Any]]) -> None:
    assert "event" in stored["labelled lines"]["threshold"] and "event" in stored["labelled lines"]["counts"]
    assert stored["combination"]["model"] == "new-event+length"
    assert stored["rescored"]["notes"][0].startswith("rescored from")


def changed(record: dict[str, Any], change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    made = copy.deepcopy(record)
    change(made)
    return made


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record["split"].update(train="300"),
        lambda record: record["threshold"].update(source="guessed"),
        lambda record: record["counts"]["excluded"].pop("normal"),
        lambda record: record["metrics"]["session"]["all"].update(f1="high"),
        lambda record: record["protocol"].update(alpha=-1),
        lambda record: record.pop("stages"),
        lambda record: record.update(status="fine"),
        lambda record: record["plugins"].update(mine={"version": "1"}),
    ],
)
def test_a_wrong_record_is_found(
    stored: dict[str, dict[str, Any]], change: Callable[[dict[str, Any]], Any]
) -> None:
    wrong = changed(stored["ok"], change)
    assert faults(schemas.record_schema(), wrong) and own_faults(schemas.record_schema(), wrong)


def test_a_key_that_no_section_names_is_found(stored: dict[str, dict[str, Any]]) -> None:
    wrong = changed(stored["ok"], lambda record: record["counts"]["excluded"].update(other=1))
    assert unknown_keys(schemas.record_schema(), wrong, FREE) == ["$.counts.excluded.other"]


def test_every_key_of_a_record_has_its_meaning() -> None:
    schema = schemas.record_schema()
    sections = {"Record": schema, **schema["$defs"]}
    silent = [
        f"{name}.{key}"
        for name, section in sections.items()
        for key, inner in section.get("properties", {}).items()
        if not inner.get("description")
    ]
    assert not silent


def test_a_bundle_is_valid(stored: dict[str, dict[str, Any]]) -> None:
    folder = Path(stored["ok"]["artifacts"]["bundle"])
    bundle = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
    assert not faults(schemas.bundle_schema(), bundle)
    assert not unknown_keys(schemas.bundle_schema(), bundle, frozenset())
    assert faults(schemas.bundle_schema(), {**bundle, "short_limit": "two"})


TOMLS = {
    "own-log": example(),
    "own-log in short": 'files = "*.log"\ntime = "Date"\nyear = 2024',
    "suite": (ROOT / "tests" / "bench.toml").read_text(encoding="utf-8"),
    "suite in short": 'models = ["length"]\ndatasets = ["hdfs-sim"]\nprotocols = ["first"]',
    "config": "[protocol]\nalpha = 0.01\nvalue = 'none'\n\n[deeplog]\ng = 9\n\n[dataset]\nblocks = 600",
}


@pytest.mark.parametrize("name", TOMLS)
def test_a_toml_file_is_valid(name: str) -> None:
    values = tomllib.loads(TOMLS[name])
    makers = {
        "own-log": lambda: schemas.own_log_schema(Registry()),
        "suite": schemas.suite_schema,
        "config": lambda: schemas.config_schema(Registry()),
    }
    assert not faults(makers[name.split(maxsplit=1)[0]](), values)
    assert not faults(schemas.toml_schema(Registry()), values)


@pytest.mark.parametrize(
    ("maker", "text"),
    [
        (lambda: schemas.own_log_schema(Registry()), 'files = ["*.log"]\nformt = "json"'),
        (lambda: schemas.own_log_schema(Registry()), 'files = ["*.log"]\nformat = "yaml"'),
        (lambda: schemas.own_log_schema(Registry()), 'format = "json"'),
        (lambda: schemas.own_log_schema(Registry()), 'files = ["*.log"]\nyear = -1'),
        (schemas.suite_schema, 'models = ["length"]\ndatasets = ["hdfs-sim"]'),
        (schemas.suite_schema, 'models = []\ndatasets = ["hdfs-sim"]\nprotocols = ["first"]'),
        (schemas.suite_schema, 'seeds = [-1]\nmodels = ["a"]\ndatasets = ["b"]\nprotocols = ["c"]'),
        (lambda: schemas.config_schema(Registry()), "[protocol]\nalhpa = 0.01"),
        (lambda: schemas.config_schema(Registry()), "[protocol]\nthreshold = 'guessed'"),
        (lambda: schemas.config_schema(Registry()), "deeplog = 3"),
    ],
)
def test_a_wrong_toml_file_is_found(maker: Callable[[], dict[str, Any]], text: str) -> None:
    values = tomllib.loads(text)
    assert faults(maker(), values) and own_faults(maker(), values)
