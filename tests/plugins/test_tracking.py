"""Trackers get of a run what its record says, wait to be asked, and lose no run by their faults."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from made_records import made

import logbench
from logbench import ConfigError, RunRecord, StoredRuns
from logbench.evaluation.intervals import interval
from logbench.testing import registry
from logbench_tracking import asked
from logbench_tracking.facts import facts_of

SMALL: dict[str, Any] = {
    "dataset": "hdfs-sim",
    "settings": {"dataset": {"blocks": 800}, "protocol": {"train_units": 300}},
}
WORDS = ("--dataset", "hdfs-sim", "--set", "dataset.blocks=800", "--set", "protocol.train_units=300")


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of trackers and records; each tracker is told where it may write."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME", raising=False)
    return tmp_path


def one_run(out: Path, model: Any = "n-gram", **more: Any) -> RunRecord:
    (record,) = logbench.run(model, out=out, **SMALL, **more)
    return record


def test_plugins_are_told_once_the_record_is_on_disk(tmp_path: Path) -> None:
    seen: list[tuple[Any, list[str]]] = []

    def logbench_run_finished(record: Any, out: Any) -> None:
        stored = StoredRuns(out).records() if out else []
        seen.append((out, [one["run_id"] for one in stored]))
        print("printed by a plugin")

    mine = registry(notifications=[logbench_run_finished])
    record = one_run(tmp_path / "runs", "length", registry=mine)
    one_run(None, "length", registry=mine)  # type: ignore[arg-type]
    assert seen == [(tmp_path / "runs", [record.run_id]), (None, [])]


def test_facts_are_those_of_the_record(tmp_path: Path) -> None:
    record = one_run(tmp_path)
    assert record.status == "ok", record.error
    facts = facts_of(record, tmp_path)
    assert facts.params["protocol.train_units"] == 300 and facts.params["dataset.blocks"] == 800
    assert (
        facts.params["data.digest"] == record.dataset["digest"]
        and facts.params["model.n"] == record.config["model"]["n"]
    )
    assert facts.params["parser"] == record.components["parser"]["name"]
    assert facts.metrics["f1"] == record.metrics["session"]["all"]["f1"]
    assert facts.metrics["distinct/session.f1"] == (record.metrics["session"]["distinct"] or {})["f1"]
    assert facts.metrics["rule/predict_all/session.f1"] == record.trivial["predict_all"]["session"]["all"]["f1"]
    assert facts.metrics["cost/fit.cpu_s"] == record.stages["fit"]["cpu_s"]
    whole = interval(StoredRuns(tmp_path).units(record), "precision", by_sequence=False)
    assert (facts.metrics["precision_low"], facts.metrics["precision_high"]) == (whole.low, whole.high)
    assert facts.metrics["precision_low"] < facts.metrics["precision"] < facts.metrics["precision_high"]
    assert facts.tags["status"] == "ok" and facts.tags["protocol"] == record.protocol["hash"]
    wide = StoredRuns(tmp_path).interval(record, "precision", by_sequence=True)
    assert wide is not None and wide[0] < facts.metrics["precision_low"], "other sequences may come"
    shutil.rmtree(tmp_path / record.run_id)
    assert "precision_low" not in facts_of(record, tmp_path).metrics


def test_a_fault_says_how_to_hand_the_run_over_later(tmp_path: Path) -> None:
    record = made("20260101-000000-m-aaaaaa")
    later = [
        str(asked.failed("mlflow", record, out, OSError("a\nb"))) for out in (Path("runs"), Path("o o"), None)
    ]
    again = "OSError: a b; the run is stored, hand it over later: logbench track mlflow 20260101-000000-m-aaaaaa"
    assert later == [again, f"{again} --out 'o o'", "OSError: a b"]


def test_a_run_that_failed_has_facts_too(tmp_path: Path) -> None:
    record = one_run(tmp_path / "runs", data=tmp_path / "absent")
    facts = facts_of(record, tmp_path / "runs")
    assert facts.tags["status"] == "error" and "absent" in facts.tags["error"]
    assert not [name for name in facts.metrics if not name.startswith("cost/")]


def test_a_tracker_waits_to_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOGBENCH_TRACK", raising=False)
    assert not asked.asked("mlflow")
    monkeypatch.setenv("LOGBENCH_TRACK", "wandb, mlflow")
    assert asked.asked("mlflow") and asked.asked("wandb") and not asked.asked("ml")
    with pytest.raises(ConfigError, match=r"no_such cannot be loaded .*pip install 'logbench-harness\[no_such\]'"):
        asked.package("no_such")


@pytest.mark.skipif(importlib.util.find_spec("mlflow") is not None, reason="MLflow is installed")
def test_a_missing_package_is_one_line_before_anything_runs(run_logbench: Callable[..., Any]) -> None:
    done = run_logbench("run", "length", *WORDS, "--track", "mlflow")
    assert done.code == 2 and not done.out
    how = "pip install 'logbench-harness[mlflow]'"
    assert re.match("error: --track mlflow needs .*mlflow-skinny.* which (is|are) not installed: ", done.err)
    assert done.err.endswith(f": {how}\n") and len(done.err.splitlines()) == 1
    done = run_logbench("run", "length", *WORDS, "--track", "mflow")
    assert done.code == 2 and "no plugin of this name takes runs; did you mean 'mlflow'" in done.err


@pytest.mark.filterwarnings("ignore")  # MLflow's own
def test_mlflow_has_the_run(told: Path, run_logbench: Callable[..., Any]) -> None:
    mlflow = pytest.importorskip("mlflow", reason="MLflow is not installed: tox -e tracking")
    done = run_logbench("run", "n-gram", *WORDS, "--track", "mlflow", "--no-baselines")
    assert done.code == 0 and "mlflow: " in done.err, done.err
    (record,) = StoredRuns("runs").records()
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name("logbench")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.run_name == record["run_id"] and run.info.status == "FINISHED"
    assert run.data.params["protocol.train_units"] == "300" and run.data.params["model"] == "n-gram"
    assert run.data.params["data.digest"] == record["dataset"]["digest"]
    assert run.data.metrics["f1"] == record["metrics"]["session"]["all"]["f1"]
    assert run.data.metrics["f1_low"] < run.data.metrics["f1"] < run.data.metrics["f1_high"]
    assert run.data.tags["logbench.protocol"] == record["protocol"]["hash"]
    assert {one.path for one in client.list_artifacts(run.info.run_id)} >= {"record.json", "scores.parquet"}
    kept = Path(client.download_artifacts(run.info.run_id, "record.json", str(told)))
    assert json.loads(kept.read_text()) == record
    again = run_logbench("track", "mlflow", "last")
    assert again.code == 0 and len(client.search_runs([experiment.experiment_id])) == 2, again.err


def test_a_tracker_that_is_gone_loses_no_run_and_is_asked_once(
    told: Path, monkeypatch: pytest.MonkeyPatch, run_logbench: Callable[..., Any]
) -> None:
    pytest.importorskip("mlflow", reason="MLflow is not installed: tox -e tracking")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    done = run_logbench("run", "length", "new-event", *WORDS, "--track", "mlflow", "--json")
    assert done.code == 0, done.err
    assert [json.loads(line)["status"] for line in done.out.splitlines()] == ["ok", "ok"]
    assert done.err.count("is set aside") == 1 and "hand it over later: logbench track mlflow " in done.err
    assert len(StoredRuns("runs").records()) == 2


def test_wandb_has_the_run(told: Path, run_logbench: Callable[..., Any]) -> None:
    pytest.importorskip("wandb", reason="W&B is not installed: tox -e tracking")
    done = run_logbench("run", "n-gram", *WORDS, "--track", "wandb", "--no-baselines", "--json")
    assert done.code == 0 and len(done.out.splitlines()) == 1, done.err
    (record,) = StoredRuns("runs").records()
    assert f"wandb: {record['run_id']} is in project logbench: " in done.err and "wandb sync" in done.err
    (file,) = told.glob("wandb/offline-run-*/*.wandb")
    config, summary, files, code = offline(file)
    assert config["protocol.train_units"] == 300 and config["data.digest"] == record["dataset"]["digest"]
    assert config["logbench"]["protocol"] == record["protocol"]["hash"]
    assert summary["f1"] == record["metrics"]["session"]["all"]["f1"] and "f1_high" in summary
    assert {"record.json", "scores.parquet"} <= files and code == 0


def chunks(file: Path) -> Iterator[bytes]:
    """Records of a file of W&B: LevelDB's log (blocks of 32 KiB; checksum, length, type) after 7 bytes."""
    data, at, whole = file.read_bytes(), 7, b""
    while at + 7 <= len(data):
        if (left := 32768 - at % 32768) < 7:
            at += left
            continue
        length, kind = struct.unpack_from("<HB", data, at + 4)
        whole += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # a whole one, or the last piece
            yield whole
            whole = b""


def offline(file: Path) -> tuple[dict[str, Any], dict[str, Any], set[str], int]:
    """Config, summary, names of files and exit code of what W&B would send."""
    from wandb.proto import wandb_internal_pb2

    config, summary, files, code = dict[str, Any](), dict[str, Any](), set[str](), -1
    for chunk in chunks(file):
        one = wandb_internal_pb2.Record()
        one.ParseFromString(chunk)
        for update in (*one.run.config.update, *one.config.update):
            config[update.key or update.nested_key[0]] = json.loads(update.value_json)
        for update in one.summary.update:
            summary[update.key or update.nested_key[0]] = json.loads(update.value_json)
        files |= {entry.path for entry in one.artifact.manifest.contents}
        code = one.exit.exit_code if one.WhichOneof("record_type") == "exit" else code
    return config, summary, files, code
