"""Executors: whoever does the runs, records and tables are the same, and what goes wrong there is a row."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from logbench import DataError, Executor, Plan, PluginError, Workbench, leaderboard, run_plan
from logbench.api.record_sections import Record
from logbench.base.child_process import Limits
from logbench.base.progress_bars import Bars
from logbench.components.registry import Registry
from logbench.running import records
from logbench.running.workers import Crew

SMALL = {"dataset": {"blocks": 400}, "protocol": {"train_units": 100}}
MODELS = ("length", "ecvc", "2-gram")


def plans(out: Path, models: Sequence[str] = MODELS) -> list[Plan]:
    return [Plan(model=name, dataset="hdfs-sim", settings=SMALL, out=out, companions=models) for name in models]


class Elsewhere:
    """What crosses to another machine and back is bytes; the last plan is answered first."""

    def map(self, function: Callable[[Plan], Any], plans: Sequence[Plan]) -> Iterator[tuple[int, Any]]:
        for number in reversed(range(len(plans))):
            function, plan = pickle.loads(pickle.dumps((function, plans[number])))
            yield number, pickle.loads(pickle.dumps(function(plan)))


class Answers:
    """Gives these answers, whatever it is asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = answers

    def map(self, function: Callable[[Plan], Any], plans: Sequence[Plan]) -> Iterator[Any]:
        yield from self.answers


def done(executor: Executor | None, out: Path) -> dict[str, Record]:
    bench = Workbench.here(executor=executor)
    return {record["model"]: record for _, record in bench.run(plans(out))}


def test_an_executor_elsewhere_gives_the_records_and_scores_of_the_workers(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    with Crew(1, (), Limits(), print) as crew:
        bench = Workbench.here(Registry(), executor=crew)
        here = {record["model"]: record for _, record in bench.run(plans(ours))}
    there = done(Elsewhere(), theirs)
    assert list(there) == list(reversed(MODELS))
    for name in MODELS:
        for key in ("status", "metrics", "trivial", "threshold", "counts", "split", "audit", "dataset", "config"):
            assert here[name][key] == there[name][key], (name, key)  # type: ignore[literal-required]
        assert here[name]["artifacts"].keys() == there[name]["artifacts"].keys() >= {"scores"}
        first, second = records.scores(here[name], ours), records.scores(there[name], theirs)
        assert first.equals(second)
    assert [record["model"] for record in records.read(theirs)] == list(reversed(MODELS))
    assert all(record["checksums"] for record in records.read(theirs))


def test_run_plan_alone_writes_nothing(tmp_path: Path) -> None:
    result = run_plan(plans(tmp_path / "out", ("length",))[0])
    assert result.record["status"] == "ok"
    assert isinstance(result.tables["scores"], pl.DataFrame)
    assert not result.stored
    assert not (tmp_path / "out").exists()


def test_a_leaderboard_by_an_executor_is_taken_over_by_the_next_one(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"dataset": "hdfs-sim", "settings": SMALL, "out": tmp_path, "baselines": False}
    first = leaderboard(MODELS, executor=Elsewhere(), **asked)
    again = leaderboard(MODELS, executor=Elsewhere(), **asked)
    assert [one["run_id"] for one in first] == [one["run_id"] for one in again]
    assert [one["run_id"] for one in leaderboard(MODELS, **asked)] == [one["run_id"] for one in first]
    assert len({one["run_id"] for one in first}) == len(MODELS)


def test_what_an_executor_raises_for_a_plan_is_its_row_and_the_study_goes_on(tmp_path: Path) -> None:
    asked = plans(tmp_path, ("length", "ecvc"))
    given = Answers((1, MemoryError("node 7 is full")), (0, run_plan(asked[0])))
    found = dict(Workbench.here(executor=given).run(asked))
    assert (found[0]["status"], found[1]["status"]) == ("ok", "error")
    assert found[1]["error"] is not None and found[1]["error"]["message"] == "node 7 is full"
    assert [record["status"] for record in records.read(tmp_path)] == ["error", "ok"]


def test_a_plan_without_an_answer_is_a_row_that_says_so(tmp_path: Path) -> None:
    asked = plans(tmp_path, ("length", "ecvc"))
    found = dict(Workbench.here(executor=Answers((0, run_plan(asked[0])))).run(asked))
    assert found[1]["error"] is not None
    assert found[1]["error"]["message"] == "executor Answers gave no answer for this run"


@pytest.mark.parametrize("answer", [7, (5, None), ("0", None)])
def test_an_answer_that_is_none_is_refused(answer: Any, tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="executor Answers: map must yield"):
        list(Workbench.here(executor=Answers(answer)).run(plans(tmp_path, ("length",))))


def test_a_second_answer_and_one_of_another_function_are_refused(tmp_path: Path) -> None:
    asked = plans(tmp_path, ("length",))
    one = run_plan(asked[0])
    with pytest.raises(PluginError, match="each index once"):
        list(Workbench.here(executor=Answers((0, one), (0, one))).run(asked))
    with pytest.raises(PluginError, match="an answer that run_plan did not give: None"):
        list(Workbench.here(executor=Answers((0, None))).run(asked))


def test_data_that_are_not_there_end_a_leaderboard_by_the_line_of_the_other_process(tmp_path: Path) -> None:
    nowhere: dict[str, Any] = {"dataset": "hdfs", "data": tmp_path / "nothing", "out": tmp_path}
    with pytest.raises(DataError, match="nothing"):
        leaderboard(["length"], executor=Elsewhere(), bars=Bars(enabled=False), **nowhere)
