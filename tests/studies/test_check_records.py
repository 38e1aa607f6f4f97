"""Records of others: each kind of fault is found, and a sound record has none."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import logbench
from logbench.base.file_digests import digest
from logbench.components.registry import Registry
from logbench.studies.check_records import Finding, check_records

Record = dict[str, Any]


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs and the cache that has their data."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGBENCH_CACHE", str(folder / "cache"))
        small = {"dataset": {"blocks": 500}, "protocol": {"train_units": 150}}
        logbench.run(["length", "pca"], dataset="hdfs-sim", settings=small, out=folder / "runs")
    return folder


@pytest.fixture
def runs(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOGBENCH_CACHE", str(made / "cache"))
    return Path(shutil.copytree(made / "runs", tmp_path / "runs"))


def read(runs: Path) -> list[Record]:
    return [json.loads(line) for line in (runs / "records.jsonl").read_text().splitlines()]


def write(runs: Path, records: Sequence[Record]) -> None:
    """Write records without their own checksums, which who forges one leaves out."""
    for one in records:
        one.get("checksums", {}).pop("record", None)
    (runs / "records.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records))


def faults(runs: Path, registry: Registry) -> list[Finding]:
    return [one for one in check_records([runs], registry)[0] if one.fault]


def test_sound_records_have_no_fault(runs: Path, registry: Registry) -> None:
    found, done = check_records([runs / "records.jsonl"], registry)
    assert found == []
    assert (done.records, done.recounted, done.digests) == (2, 2, 2)


def test_a_record_that_disagrees_with_its_own_checksum_is_one_fault(runs: Path, registry: Registry) -> None:
    path = runs / "records.jsonl"
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1', 1))
    (found,) = faults(runs, registry)
    assert str(found).startswith(f"{path}:1: ") and found.text == "its content is not what was written"


def _f1(record: Record) -> None:
    record["metrics"]["session"]["all"]["f1"] = 0.99


def _rule(record: Record) -> None:
    next(iter(record["trivial"].values()))["session"]["distinct"]["recall"] = 0.0


def _way(record: Record) -> None:
    record["directions"]["session"]["f1"] = "lower"


def _threshold(record: Record) -> None:
    record["threshold"]["value"] = 1e9


def _more(record: Record) -> None:
    record["metrics"]["mine"] = {"all": {"f1": 1.0}, "distinct": None}


def _protocol(record: Record) -> None:
    record["protocol"]["alpha"] = 0.25


def _unknown(record: Record) -> None:
    record["protocol"]["bonus"] = 1


def _data(record: Record) -> None:
    record["dataset"]["digest"] = "0" * 64


def _type(record: Record) -> None:
    record["seed"] = "0"


def _version(record: Record) -> None:
    record["record_version"] = 99


def _nowhere(record: Record) -> None:
    record["artifacts"]["scores"] = "../elsewhere.parquet"


def _none(record: Record) -> None:
    del record["artifacts"]["scores"], record["checksums"]["scores"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_f1, "metrics.session.all.f1 is 0.99, its scores give 0."),
        (_rule, "trivial."),
        (_way, "directions.session.f1 is 'lower', its scores give 'higher'"),
        (_threshold, "threshold.value is 1e+09"),
        (_more, "metrics.mine is {"),
        (_protocol, "protocol.hash is"),
        (_unknown, "protocol.bonus is no field"),
        (_data, "dataset.digest is '0000"),
        (_type, "its seed is damaged"),
        (_version, "record_version 99 is newer"),
        (_nowhere, "none of its folder"),
        (_none, "has no scores"),
    ],
)
def test_a_record_that_was_written_by_hand_is_found_out(
    runs: Path, registry: Registry, change: Callable[[Record], None], said: str
) -> None:
    records = read(runs)
    change(records[1])
    write(runs, records)
    found = faults(runs, registry)
    assert found and all(one.place.endswith(":2") and one.run == records[1]["run_id"] for one in found)
    assert any(said in one.text for one in found), found
    assert all("\n" not in str(one) for one in found)


def _with_scores(runs: Path, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """Change stored scores as a careful cheat does, checksum and all."""
    records = read(runs)
    path = runs / records[1]["artifacts"]["scores"]
    change(pl.read_parquet(path)).write_parquet(path)
    records[1]["checksums"]["scores"] = digest(path, None)
    write(runs, records)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda frame: frame.with_columns(label=pl.col("verdict").cast(pl.Int8)), "split.test_digest"),
        (lambda frame: frame.with_columns(verdict=pl.col("label") == 1), "verdicts beside its scores"),
        (lambda frame: frame.with_columns(raw=pl.col("label").cast(pl.Float64)), "metrics.session."),
        (lambda frame: frame.filter((pl.col("part") == "held_out") | (pl.col("label") == 1)), "split.test_digest"),
        (lambda frame: frame.drop("raw"), "no column 'raw'"),
        (lambda frame: frame.with_columns(label=pl.lit("1")), "no column 'label' of type Int8"),
        (lambda frame: frame.head(0), "cannot be computed again"),
    ],
)
def test_scores_that_no_run_wrote_are_found_out(
    runs: Path, registry: Registry, change: Callable[[pl.DataFrame], pl.DataFrame], said: str
) -> None:
    _with_scores(runs, change)
    assert any(said in one.text for one in faults(runs, registry)), faults(runs, registry)


def test_damaged_scores_are_found_out(runs: Path, registry: Registry) -> None:
    path = runs / read(runs)[0]["artifacts"]["scores"]
    path.write_bytes(path.read_bytes()[:-40])
    assert "not those that run" in faults(runs, registry)[0].text


def test_a_run_counts_once_under_whatever_name(runs: Path, registry: Registry) -> None:
    records = read(runs)
    again, other = copy.deepcopy(records[0]), copy.deepcopy(records[1])
    other["run_id"] = "another"
    other["notes"] = ["found elsewhere"]
    write(runs, [*records, again, other])
    found = faults(runs, registry)
    assert [one.text for one in found] == [
        f"the same run as {runs / 'records.jsonl'}:1",
        f"the same run as {runs / 'records.jsonl'}:2",
    ]


def test_lines_that_are_no_record_are_said_by_their_number(runs: Path, registry: Registry) -> None:
    with (runs / "records.jsonl").open("a") as file:
        file.write('\n{"run_id": \n[1]\n{}\n')
    found = faults(runs, registry)
    assert [(one.place.rpartition(":")[2], one.text) for one in found][:2] == [
        ("4", "no JSON"),
        ("5", "no record, which is a JSON object"),
    ]
    assert found[2].place.endswith(":6") and "record_version" in found[2].text and len(found) == 3


def test_data_that_are_not_here_are_no_fault(runs: Path, registry: Registry) -> None:
    records = read(runs)
    records[0]["dataset"]["name"] = "hdfs"
    records[0]["config"]["dataset"] = {}
    write(runs, records)
    found, done = check_records([runs], registry)
    assert [(one.fault, "not checked" in one.text) for one in found] == [(False, True)]
    assert done.digests == 1
