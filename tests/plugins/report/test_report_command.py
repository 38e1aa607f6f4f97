"""What `logbench report` and the reporter write, of which runs, and what the head says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click.testing
import pytest
from reported_runs import MODELS, SMALL

import logbench
from logbench_reporters.report.figures.ranking import ranking
from logbench_reporters.report.head import figures, headline
from logbench_reporters.report.provenance import provenance
from logbench_reporters.report.study import Study, studies


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
        "pca", dataset="hdfs-sim", settings={**SMALL, "protocol": {"train_units": 200}}, out=tmp_path / "other"
    )
    mixed = tmp_path / "runs"
    mixed.mkdir()
    lines = [(folder / "records.jsonl").read_text().splitlines()[0] for folder in (out, tmp_path / "other")]
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


def test_a_folder_without_records_is_named(tmp_path: Path) -> None:
    from logbench_reporters.report.command import command

    done = click.testing.CliRunner().invoke(command, ["--runs", str(tmp_path), "--out", str(tmp_path / "r.html")])
    assert isinstance(done.exception, logbench.DataError) and "--runs DIR" in str(done.exception)
