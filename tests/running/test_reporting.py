"""Reporters get the stored scores of runs, and a folder for their files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import logbench
from logbench import DataError, PluginError
from logbench.cli.reporting import GuardedReporter
from logbench.running.reporting import reported, takes_runs
from logbench.studies.stored_runs import StoredRuns
from logbench.testing import check, registry
from logbench.testing.material import tiny

SMALL = {"dataset": {"blocks": 300}, "protocol": {"train_units": 100}}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, logbench.RunRecord]:
    """A folder of records, and the one record in it."""
    out = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGBENCH_CACHE", str(out / "cache"))
        (record,) = logbench.run("new-event", dataset="hdfs-sim", settings=SMALL, out=out)
    return out, record


class Old:
    def report(self, records: Sequence[Mapping[str, Any]]) -> str:
        return f"{len(records)} runs"


class Counting:
    """Writes the alarms of each run into a file."""

    def report(self, records: Sequence[Mapping[str, Any]], runs: logbench.Runs) -> str:
        for record in records:
            if record["status"] == "ok":
                test = runs.scores(record).filter(pl.col("part") == "test")
                (runs.folder / f"{record['run_id']}.txt").write_text(str(test["verdict"].sum()))
        return f"{len(records)} runs"


def test_scores_are_those_that_the_metrics_were_made_of(run: tuple[Path, logbench.RunRecord]) -> None:
    out, record = run
    for given in (record, record.as_dict()):
        test = StoredRuns(out).scores(given).filter(pl.col("part") == "test")
        verdict, label = test["verdict"], test["label"] == 1
        f1 = 2 * (verdict & label).sum() / (verdict.sum() + label.sum())
        assert f1 == pytest.approx(record.metrics["session"]["all"]["f1"])
        assert test["unit"].n_unique() == record.split["test"]


def test_files_are_written_into_a_new_folder_and_named(
    run: tuple[Path, logbench.RunRecord], capsys: pytest.CaptureFixture[str]
) -> None:
    out, record = run
    said = []
    for _ in range(2):
        GuardedReporter("counting", Counting(), out).show([record.as_dict()])
        printed = capsys.readouterr()
        assert printed.out == "1 runs\n"
        said.append(Path(printed.err.strip().partition("wrote ")[2]))
    assert said[0].parent != said[1].parent and {path.parent.parent for path in said} == {out / "reports"}
    alarms = StoredRuns(out).scores(record).filter(pl.col("part") == "test")["verdict"].sum()
    assert [int(path.read_text()) for path in said] == [alarms, alarms]


def test_a_reporter_of_records_alone_gets_no_runs_and_leaves_no_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    GuardedReporter("old", Old(), tmp_path).show([])
    assert capsys.readouterr().out == "0 runs\n" and not list(tmp_path.iterdir())


def test_scores_that_were_not_kept_are_an_error_of_one_line(
    run: tuple[Path, logbench.RunRecord], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, record = run
    with pytest.raises(DataError, match=r"reporter 'counting': .*scores of run .* are gone; run it again"):
        GuardedReporter("counting", Counting(), tmp_path).show([record.as_dict()])
    assert "Traceback" not in capsys.readouterr().err
    unscored = {**record.as_dict(), "artifacts": {}}
    with pytest.raises(DataError, match=f"run {record.run_id} has no scores"):
        StoredRuns(tmp_path).scores(unscored)


def test_a_fault_of_the_reporter_keeps_its_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Faulty:
        def report(self, records: object, runs: logbench.Runs) -> str:
            raise ZeroDivisionError("by zero")

    with pytest.raises(PluginError, match="by zero; the runs are recorded"):
        GuardedReporter("faulty", Faulty(), tmp_path).show([])
    assert "Traceback" in capsys.readouterr().err


def test_the_second_parameter_decides() -> None:
    class Keyword:
        def report(self, records: object, *, title: str = "runs") -> str:
            return title

    class Optional:
        def report(self, records: object, title: str = "title") -> str:
            return title

    class May:
        def report(self, records: object, runs: logbench.Runs | None = None) -> str:
            return "" if runs is None else "runs"

    taking = [takes_runs(one) for one in (Old(), Counting(), Keyword(), Optional(), May())]
    assert taking == [False, True, False, False, True]


def test_check_hands_runs_with_their_scores(tmp_path: Path) -> None:
    class Sized:
        """One line a run; with scores, the number of tested units."""

        def report(self, records: Sequence[Mapping[str, Any]], runs: logbench.Runs) -> str:
            return "\n".join(self.line(record, runs) for record in records)

        def line(self, record: Mapping[str, Any], runs: logbench.Runs) -> str:
            if record["error"]:
                return f"{record['model']}: {record['status']}: {record['error']['message']}"
            units = runs.scores(record).filter(pl.col("part") == "test")
            (runs.folder / f"{record['model']}.txt").write_text(f"{len(units)}")
            return f"{record['model']}: {len(units)} units"

    class Careless(Sized):
        """Asks for scores of every run."""

        def line(self, record: Mapping[str, Any], runs: logbench.Runs) -> str:
            runs.scores(record)
            return super().line(record, runs)

    class Elsewhere(Sized):
        """Writes into the working folder."""

        def line(self, record: Mapping[str, Any], runs: logbench.Runs) -> str:
            Path("here.txt").write_text("")
            return super().line(record, runs)

    violated = {}
    for cls in (Sized, Careless, Elsewhere):
        found = registry(plugins=False, reporters=[logbench.ReporterComponent("sized", cls)])
        outcomes = check("reporter", "sized", registry=found)
        violated[cls] = {one.rule for one in outcomes if one.status == "violation"}
    assert not violated[Sized] and "failed" in violated[Careless] and violated[Elsewhere] == {"same"}


def test_the_tiny_data_set_has_runs_too(tmp_path: Path) -> None:
    data = tiny()
    ok = [record for record in data.records if record["status"] == "ok"]
    assert reported(Counting(), ok, data.runs(tmp_path)) == f"{len(ok)} runs"
    assert len(list(tmp_path.iterdir())) == len({record["run_id"] for record in ok})
