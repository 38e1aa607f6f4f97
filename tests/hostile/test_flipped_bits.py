"""A bit flipped in any file that logbench keeps: said in one line, and no other number is shown."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hostile_tries import tries
from made_records import made

import logbench
from logbench import DataError, LogbenchError
from logbench.base import file_digests
from logbench.components.registry import Registry
from logbench.deploy.score_state import opened
from logbench.running import looks, records, run_names
from logbench.running.bundle_checks import checked_facts
from logbench.running.cache_check import verify
from logbench.running.looks import Look, Source
from logbench.running.stored import OWN, fault


def flip(path: Path, data: bytes, rng: random.Random) -> None:
    spoiled = bytearray(data)
    spoiled[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(spoiled)


def test_a_flipped_bit_costs_its_record_and_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = {"session": {"all": {"f1": 0.5123, "precision": 1e-7}, "distinct": None}}
    for name in "abc":
        records.append(made(name, metrics=figures, notes=["é \ud800", "x" * 200]), tmp_path)
    path = tmp_path / records.FILE
    data, whole = path.read_bytes(), {record["run_id"]: record for record in records.read(tmp_path)}
    assert set(whole) == set("abc") and not capsys.readouterr().err
    for rng in tries(150):
        flip(path, data, rng)
        left = list(records.read(tmp_path))
        assert all(record == whole[record["run_id"]] for record in left) and len(left) in (1, 2), path.read_bytes()
        said = capsys.readouterr().err.splitlines()
        assert said and all("passed over" in line and len(line) < 500 for line in said), path.read_bytes()
        try:
            shown = run_names.find("last", tmp_path)
        except LogbenchError as error:
            assert "\n" not in str(error)
        else:
            assert shown == whole[shown["run_id"]]
            assert shown["run_id"] == "c" or capsys.readouterr().err, (
                "an older one is not shown for the last unsaid"
            )


def test_records_that_were_copied_by_other_programs_are_sound(tmp_path: Path) -> None:
    records.append(made("a", notes=["é"], seed=3), tmp_path)
    path = tmp_path / records.FILE
    (record,) = map(json.loads, path.read_text().splitlines())
    path.write_text(
        json.dumps(dict(reversed(record.items())), ensure_ascii=False, separators=(", ", " : ")) + "\n"
    )
    assert list(records.read(tmp_path)) == [record]
    record["notes"] = ["f"]
    path.write_text(json.dumps(record) + "\n")
    assert not list(records.read(tmp_path))
    del record["checksums"]["record"]  # of a version that wrote none
    path.write_text(json.dumps(record) + "\n")
    assert list(records.read(tmp_path)) == [record]


def test_a_flipped_bit_in_a_state_of_score_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    with opened(file, "run-1") as state:
        state.alarmed, state.counters, state.threshold = ["a \udcff é"], {"units": 12345.0}, "0.5"
        state.save()
    with opened(file, "run-1") as state:
        assert state.alarmed == ["a \udcff é"] and state.counters == {"units": 12345.0}
    data = file.read_bytes()
    for rng in tries(100):
        flip(file, data, rng)
        with pytest.raises(DataError, match="cannot be read as a state") as error, opened(file, "run-1"):
            pass
        assert "\n" not in str(error.value)


def test_a_flipped_bit_in_what_score_last_looked_at_is_said(
    own_cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = Source("d", {}, "session", {}, "/é/log", stamps=[["/é/log", 3, 4]])
    looks.keep("score", Look("score", source, {"u": {"score": float("inf"), "verdict": True, "line": 3}}))
    path = own_cache / looks.FOLDER / "score.json"
    data, look = path.read_bytes(), looks.last("score")
    assert look is not None and look.source == source and look.units["u"]["score"] == float("inf")
    for rng in tries(50):
        flip(path, data, rng)
        assert looks.last("score") is None
        (said,) = capsys.readouterr().err.splitlines()
        assert "damaged" in said and "call logbench score again" in said


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a cache, records and a bundle of one run."""
    folder = tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGBENCH_CACHE", str(folder / "cache"))
        patch.setattr(file_digests, "SMALL", 0)
        patch.setattr(file_digests, "_SETTLED_NS", 0)
        small: dict[str, Any] = {"dataset": {"blocks": 300}, "protocol": {"train_units": 100}}
        (record,) = logbench.run(
            "ecvc", dataset="hdfs-sim", out=folder / "runs", settings=small, save=folder / "saved"
        )
        assert record.status == "ok", record.error
    return folder


def test_a_flipped_bit_in_any_file_of_the_cache_is_found(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGBENCH_CACHE", str(kept / "cache"))
    registry = Registry(kinds=("dataset",))
    files = [path for path in sorted((kept / "cache").rglob("*")) if path.is_file() and path.suffix != ".lock"]
    assert {"code.npy", "units.parquet", "facts.json", "sums.json", "HDFS.log"} <= {path.name for path in files}
    assert not any(entry["state"] == "bad" for entry in verify(registry))
    for path in files:
        data = path.read_bytes()
        for rng in tries(2):
            flip(path, data, rng)
            faults = [entry for entry in verify(registry) if entry["state"] == "bad"]
            assert len(faults) == 1 and "\n" not in faults[0]["why"], (path, faults)
        path.write_bytes(data)


def test_a_flipped_bit_in_any_file_of_a_run_or_a_bundle_is_found(kept: Path) -> None:
    (record,) = records.read(kept / "runs")
    checked_facts(kept / "saved")
    for path in sorted(path for path in (kept / "saved").rglob("*") if path.is_file()):
        data = path.read_bytes()
        for rng in tries(4):
            flip(path, data, rng)
            with pytest.raises(DataError) as error:
                checked_facts(kept / "saved")
            assert "\n" not in str(error.value)
        path.write_bytes(data)
    for name in set(record["checksums"]) - {OWN}:
        path = kept / "runs" / record["artifacts"][name]
        data = path.read_bytes()
        for rng in tries(4):
            flip(path, data, rng)
            assert "are not those that run" in fault(record, kept / "runs", name)
        path.write_bytes(data)
