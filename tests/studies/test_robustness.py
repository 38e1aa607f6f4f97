"""Doses of disturbances: each row is what single runs give, dose 0 the plain run, and nothing runs twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import stats

import logbench
from logbench import ConfigError, Plan
from logbench.api.protocol import DISTURBED
from logbench.cli import cli
from logbench.evaluation.metrics import named
from logbench.running import records
from logbench.studies.plans import ModelsRequest
from logbench.studies.robustness import check_undisturbed, disturbances, doses_of, falls_from, robust
from logbench.studies.workbench import Workbench

SETTINGS: dict[str, dict[str, Any]] = {"hdfs-sim": {"blocks": 400}, "protocol": {"train_units": 120}}


def request(folder: Path, **more: Any) -> ModelsRequest:
    fields = {"dataset": "hdfs-sim", "out": folder, "settings": SETTINGS, "cache": False, **more}
    return ModelsRequest(models=("new-event",), fields=fields, command="", splits=range(2), stochastic_only=True)


class Counting:
    """An executor that counts what it runs."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.plans = inner, list[Plan]()

    def map(self, function: Any, plans: Sequence[Plan]) -> Iterator[Any]:
        if function.__name__ == "run_plan":
            self.plans += plans
        return iter(self.inner.map(function, plans))


def bench() -> tuple[Workbench, Counting]:
    here = Workbench.here()
    counting = Counting(here.executor)
    return replace(here, executor=counting), counting


def test_rows_are_means_of_single_runs_and_dose_0_is_the_plain_run(tmp_path: Path) -> None:
    here, _ = bench()
    rows = list(robust(request(tmp_path), disturbances(["new", "labels"], "test"), [0.0, 0.3], "f1", here))
    assert [(row["kind"], row["dose"]) for row in rows] == [
        ("new", 0.0), ("new", 0.3), ("labels", 0.0), ("labels", 0.3),
    ]  # fmt: skip
    assert rows[0]["runs"] == rows[2]["runs"], "the plain runs are shared"
    fields = [{}, {"unstable": "new", "unstable_dose": 0.3}, {}, {"test_label_noise": 0.3}]
    for row, protocol in zip(rows, fields, strict=True):
        settings = {**SETTINGS, "protocol": {**SETTINGS["protocol"], **protocol}}
        alone = [
            logbench.run(
                "new-event", dataset="hdfs-sim", settings=settings, split_seed=seed, out=None, cache=False
            )[0]
            for seed in (0, 1)
        ]
        values = [one.metrics["session"]["all"]["f1"] for one in alone]
        assert row["value"] == pytest.approx(np.mean(values))
        half = stats.t.ppf(0.975, 1) * np.std(values, ddof=1) / np.sqrt(2)
        assert (row["low"], row["high"]) == pytest.approx((row["value"] - half, row["value"] + half))
        rules = {
            name: np.mean([named(one.trivial[name], "session", "all")["f1"] for one in alone])
            for name in alone[0].trivial
        }
        assert row["rule_value"] == pytest.approx(max(rules.values())) == rules[row["rule"]]
        assert row["under"] == (row["value"] < row["rule_value"])
    assert [row["changed"] > 0 for row in rows] == [False, True, False, True]


def test_what_ran_before_is_taken_over_and_only_the_rest_runs(tmp_path: Path) -> None:
    first, counted = bench()
    asked = disturbances(["remove"], "test")
    list(robust(request(tmp_path), asked, [0.0, 0.2], "f1", first))
    assert len(counted.plans) == 4
    lines = (tmp_path / "records.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "records.jsonl").write_text("".join(lines[:3]))  # as after a kill
    again, counted = bench()
    rows = list(robust(request(tmp_path), asked, [0.0, 0.2, 0.4], "f1", again))
    assert len(counted.plans) == 1 + 2 and len(list(records.read(tmp_path))) == 6
    assert all("skipped" not in row for row in rows)
    assert {len(row["runs"]) for row in rows} == {2}


def test_doses() -> None:
    assert doses_of("0,1,5,10,20%") == [0.0, 0.01, 0.05, 0.1, 0.2] and doses_of(".5") == [0.0, 0.5]
    assert doses_of("5%,1%,5%") == [0.0, 0.01, 0.05]
    for wrong in ("", "x", "1,,2", "5", "-1%", "101%", "nan", "1e9", "inf%"):
        with pytest.raises(ConfigError, match="--dose"):
            doses_of(wrong)


def test_kinds_and_where() -> None:
    assert [one.name for one in disturbances(["parse", "split", "labels"], "test")] == [
        *DISTURBED["parse"],
        "labels",
    ]
    assert {one.name for one in disturbances(list(DISTURBED), "both")} == {
        name for names in DISTURBED.values() for name in names
    }
    (labels,) = disturbances(["labels"], "both")
    assert labels.settings(0.1) == {"label_noise": 0.1, "test_label_noise": 0.1}
    assert disturbances(["labels"], "train")[0].settings(0.1) == {"label_noise": 0.1}
    assert not any(one.settings(0.0) for one in disturbances(list(DISTURBED), "both"))
    with pytest.raises(ConfigError, match="only labels"):
        disturbances(["labels", "lines"], "train")


@pytest.mark.parametrize(
    ("under", "least"),
    [
        ([False, False, False], None), ([False, False, True], 0.2), ([False, True, True], 0.1),
        ([True, True, True], 0.0), ([True, False, True], 0.2), ([False, True, False], None),
    ],
)  # fmt: skip
def test_the_dose_from_which_on_a_rule_is_better(under: list[bool], least: float | None) -> None:
    rows = [{"dose": dose, "under": one} for dose, one in zip((0.0, 0.1, 0.2), under, strict=True)]
    assert falls_from(rows) == least


def test_a_protocol_that_disturbs_already_is_refused(tmp_path: Path) -> None:
    settings = {**SETTINGS, "protocol": {"unstable": "swap"}}
    with pytest.raises(ConfigError, match="--kind says what"):
        check_undisturbed(request(tmp_path, settings=settings), Workbench.here().registry)
    with pytest.raises(ConfigError, match="test_label_noise=0.1: --dose".replace(".", r"\.")):
        settings = {**SETTINGS, "protocol": {"test_label_noise": 0.1}}
        check_undisturbed(request(tmp_path, settings=settings), Workbench.here().registry)


def test_runs_that_cannot_be_are_said(tmp_path: Path) -> None:
    here, _ = bench()
    with pytest.raises(ConfigError, match="content=labelled"):
        list(robust(request(tmp_path), disturbances(["labels"], "train"), [0.0, 0.1], "f1", here))
    with pytest.raises(ConfigError, match="no evaluator gives 'f2'"):
        list(robust(request(tmp_path), disturbances(["swap"], "test"), [0.0, 0.1], "f2", here))


def test_the_command_runs_side_by_side_and_says_where_it_falls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    words = ["robust", "length", "--dataset", "hdfs-sim", "--set", "hdfs-sim.blocks=300", "--jobs", "2"]
    words += ["--set", "protocol.train_units=100", "--kind", "remove", "--dose", "50%", "--split-seeds", "2"]
    done = CliRunner().invoke(cli, words, standalone_mode=False)
    assert done.exception is None, done.output
    assert "disturbed: the test set alone" in done.stdout and "50%" in done.stdout
    assert "remove: " in done.stdout and "best rule" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert len(list(records.read(tmp_path / "runs"))) == 4
    failed = CliRunner().invoke(cli, [*words, "--format", "csv", "--json"], standalone_mode=False)
    assert failed.exception is not None and "exclude each other" in str(failed.exception)
