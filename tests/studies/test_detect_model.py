"""Detection by a model and by thresholds: no model scores what it saw, and no more units alarm than asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from logbench import IncompatibleError, ModelComponent, ModelTraits, Sessions, testing
from logbench.base.progress import silent
from logbench.evaluation.alarm_rates import AlarmRate
from logbench.studies.cross_scores import PARTS
from logbench.studies.detect import Detection, detect
from logbench.testing.command import runner

UNITS = 60
DEFINITION = """
files = "a.log"
pattern = "<Time> <Node> <Job> <Content>"
time = "Time"
time_format = "epoch"
node = "Node"
id = "Job"
"""


class Unlike:
    """Scores a unit by how many of its keys no training unit has."""

    fits: ClassVar[list[Sessions]] = []

    def fit(self, train: Sessions, context: Any) -> None:
        self.fits.append(train)
        self.known = set(train.keys.tolist()) | set(context.held_out.keys.tolist())

    def score(self, sessions: Sessions, context: Any) -> Any:
        return np.array([float(len(set(unit.keys.tolist()) - self.known)) for unit in sessions])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("detect")
    lines = []
    for job in range(UNITS):
        odd = {7: ["lost disk"], 8: ["lost disk"], 40: ["page fault", "core dumped"]}.get(job, [])
        for at, text in enumerate(["started", *["working"] * (job % 3 + 1), *odd, "done"]):
            lines.append(f"{600 * job + at} n{job % 2} j{job} {text}")
    (folder / "a.log").write_text("\n".join(lines) + "\n")
    (folder / "my.toml").write_text(DEFINITION)
    return folder


def found(folder: Path, **options: Any) -> Detection:
    Unlike.fits.clear()
    known = testing.registry(
        models=[
            ModelComponent("unlike", Unlike, traits=ModelTraits(supervision="unsupervised")),
            ModelComponent("told", Unlike, traits=ModelTraits(supervision="supervised")),
            ModelComponent("reads", Unlike, traits=ModelTraits(needs={"messages"})),
        ]
    )
    return detect(str(folder / "my.toml"), known, silent, top=UNITS, **options)


def test_each_part_is_scored_by_a_model_of_the_others(folder: Path) -> None:
    """Keys of one unit alone are new to its model; those of two units in one part are, too."""
    rows = {row["unit"]: row for row in found(folder, model="unlike").rows}
    assert len(rows) == UNITS
    assert len(Unlike.fits) == PARTS
    expected = {"j7": 1.0, "j8": 1.0, "j40": 2.0}
    assert {unit: row["score"] for unit, row in rows.items() if row["score"]} == expected
    assert all(len(fit) < UNITS * (PARTS - 1) / PARTS for fit in Unlike.fits), "some are held out"
    assert "never in training" in rows["j40"]["why"][0]
    assert rows["j40"]["node"] == "n0"
    assert rows["j40"]["time"].isoformat() == "1970-01-01T06:40:03"


@pytest.mark.parametrize(("rate", "alarms"), [(0.02, ["j40"]), (0.049, ["j40"]), (0.05, ["j40", "j7", "j8"])])
def test_no_more_alarm_than_asked(folder: Path, rate: float, alarms: list[str]) -> None:
    detection = found(folder, model="unlike", asked=AlarmRate(rate=rate))
    assert sorted(row["unit"] for row in detection.rows) == alarms
    assert detection.threshold is not None
    if rate == 0.049:
        assert "2 sessions score exactly 1: as ties they do not alarm" in detection.threshold.said[1]


def test_a_budget_counts_days_of_the_log(folder: Path) -> None:
    """Sixty jobs in 59 times ten minutes and a few seconds."""
    a_day = UNITS / ((UNITS - 1) * 600 + 4) * 86_400
    for budget, alarms in ((a_day * 0.0501, 3), (a_day * 0.0499, 1)):
        assert len(found(folder, model="unlike", asked=AlarmRate(budget=budget)).rows) == alarms


def test_models_that_cannot_rank_a_log_are_refused(folder: Path) -> None:
    with pytest.raises(IncompatibleError, match="it learns from labels, and detect has none"):
        found(folder, model="told")
    with pytest.raises(IncompatibleError, match="it takes messages, which detect does not prepare"):
        found(folder, model="reads")


def test_the_command_groups_incidents(folder: Path) -> None:
    run = runner(folder, folder / "cache")
    words = ("detect", "--dataset", "my.toml", "--model", "markov", "--rate", "6%", "--incident-gap", "700")
    ran = run(*words, "--incidents", "--json")
    assert ran.code == 0, ran.err
    incidents = [json.loads(line) for line in ran.out.splitlines()]
    assert sorted(sorted(one["units"]) for one in incidents) == [["j40"], ["j7", "j8"]]
    assert "of 60 sessions score above" in ran.err
