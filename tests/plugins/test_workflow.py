"""`logbench workflow` on simulated logs of known workflows: tasks, branches, loops, any order, departures."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from one_thread import one_thread  # noqa: F401 (a fixture)

import logbench
from logbench import Context, Sessions
from logbench.cli import cli
from logbench_deeplog import DeepLogConfig
from logbench_deeplog.model import DeepLog
from logbench_deeplog.workflow.expectations import Expectations
from logbench_deeplog.workflow.graph import Workflow, departures, workflow_of
from logbench_deeplog.workflow.tasks import tasks_of

TASKS = ([0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11])


def walk(task: int, rng: np.random.Generator) -> list[int]:
    """Task 0 has two keys in any order, task 1 a loop of two keys, task 2 a branch."""
    if task == 0:
        return [0, 1, 2, 3] if rng.random() < 0.5 else [0, 2, 1, 3]
    if task == 1:
        return [4, *[5, 6] * int(rng.integers(1, 4)), 7]
    return [8, 9, 11] if rng.random() < 0.7 else [8, 10, 11]


def interleaved(units: int, seed: int) -> Sessions:
    """Units in which all three tasks run at once, each one to three times; the next entry is of any of them."""
    rng = np.random.default_rng(seed)
    keys = []
    for _ in range(units):
        left = [[key for _ in range(rng.integers(1, 4)) for key in walk(task, rng)] for task in range(3)]
        mixed: list[int] = []
        while any(left):
            mixed.append(left[rng.choice([at for at, one in enumerate(left) if one])].pop(0))
        keys.append(mixed)
    return Sessions.of(keys, 12)


def pairs(tasks: Any) -> set[frozenset[int]]:
    return {frozenset(pair) for task in tasks for pair in itertools.combinations(sorted(task), 2)}


def known(workflows: list[Workflow]) -> None:
    """They are those that `walk` has."""
    order, loop, branch = workflows
    assert order.concurrent == (frozenset({1, 2}),) and not loop.concurrent and not branch.concurrent
    assert set(order.after(0)) == {1, 2} and set(order.starts) == {0} and set(order.ends) == {3}
    assert (6, 5) in loop.loops and set(loop.after(6)) == {5, 7} and set(loop.after(4)) == {5}
    assert branch.branches == [8] and set(branch.after(9)) == {11} == set(branch.after(10))
    assert {step for one in workflows for step in one.loops} == {(3, 0), (6, 5), (7, 4), (11, 8)}


def test_interleaved_workflows_are_recovered_from_counts() -> None:
    given = Expectations.counted(interleaved(200, 0))
    found = tasks_of(given, 0.5, 10)
    assert pairs(found) == pairs(TASKS), "pairwise F1 of the clusters is 1"
    known([workflow_of(given, list(task), 0.05) for task in TASKS])
    shares = workflow_of(given, TASKS[2], 0.05).after(8)
    assert shares[9] == pytest.approx(0.7, abs=0.05) and list(shares) == [9, 10]


@pytest.mark.slow
def test_interleaved_workflows_are_recovered_from_the_key_model() -> None:
    sessions = interleaved(150, 0)
    model = DeepLog(DeepLogConfig(h=8, pad=True, hidden=32, steps=500, batch=128, lr=1e-2))
    model.fit(sessions, Context())
    given = Expectations.foretold(sessions, model)
    np.testing.assert_allclose(given.likely.sum(1), 1, atol=1e-6)
    assert not np.array_equal(given.likely, Expectations.counted(sessions).likely)
    found = tasks_of(given, 0.5, 10)
    assert pairs(found) == pairs(TASKS)
    known([workflow_of(given, list(task), 0.1) for task in TASKS])


def test_what_comes_together_by_chance_is_no_task() -> None:
    rng = np.random.default_rng(0)
    noise = Sessions.of([rng.integers(0, 6, 40).tolist() for _ in range(100)], 6)
    assert sorted(tasks_of(Expectations.counted(noise), 0.5, 10)) == [[key] for key in range(6)]
    once = Sessions.of([[0, 1, 2, 0, 1]] * 50 + [[0, 1, 3, 0, 1]], 5)
    assert [3] in tasks_of(Expectations.counted(once), 0.5, 10), "3 came once; 4 never"


def test_a_unit_leaves_its_workflow_where_a_key_may_not_come() -> None:
    given = Expectations.counted(interleaved(200, 0))
    workflows = [workflow_of(given, list(task), 0.05) for task in TASKS]
    assert departures([0, 4, 2, 5, 1, 6, 8, 3, 7, 10, 11], workflows) == []
    [wrong] = departures([0, 4, 1, 5, 2, 5, 6, 7, 3], workflows)
    assert (wrong.event, wrong.key, wrong.workflow, wrong.before, list(wrong.expected)) == (5, 5, 1, 5, [6])
    [short] = departures([8, 9], workflows)
    assert (short.event, short.key, short.workflow, list(short.expected)) == (2, None, 2, [11])
    unseen, begin = departures([0, 12, 1, 2, 3, 5, 6, 7], workflows)
    assert (unseen.event, unseen.key, unseen.workflow, unseen.before) == (1, 12, None, 0)
    assert (begin.event, begin.key, begin.before, list(begin.expected)) == (5, 5, None, [4])


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of deeplog that kept its model, and one of a rule that did not."""
    folder = tmp_path_factory.mktemp("workflow")
    settings = {
        "dataset": {"blocks": 500},
        "protocol": {"train_units": 200},
        "deeplog": {"hidden": 16, "steps": 50},
    }
    options: dict[str, Any] = {"dataset": "hdfs-sim", "out": folder / "runs"}
    logbench.run("deeplog", settings=settings, save=folder / "model", **options)
    logbench.run("length", settings={k: settings[k] for k in ("dataset", "protocol")}, **options)
    return folder / "runs"


def typed(runs: Path, *words: str) -> Any:
    return CliRunner().invoke(cli, ["workflow", *words, "--out", str(runs)])


def test_a_saved_run_is_read_again_with_its_model(runs: Path) -> None:
    stored = logbench.saved_run("last~1", runs)
    scores = stored.model.score(stored.sessions.take(stored.test).unlabelled(), Context()).primary
    frame = logbench.StoredRuns(runs).scores(stored.record).filter(part="test")
    by_id = dict(zip(frame["unit"], frame["raw"], strict=True))
    stored_raw = np.array([by_id[unit] for unit in stored.sessions.ids.gather(stored.test)], dtype=np.float64)
    long = stored.sessions.lengths[stored.test] > 10
    np.testing.assert_array_equal(scores[long], stored_raw[long])
    assert logbench.saved_run("last", runs).model is None


def test_a_combination_is_read_again_with_the_options_of_its_members(tmp_path: Path) -> None:
    settings = {"dataset": {"blocks": 100}, "protocol": {"train_units": 50}, "n-gram": {"n": 3}}
    kept: dict[str, Any] = {"out": tmp_path, "save": tmp_path / "model"}
    (record,) = logbench.run("n-gram+length", dataset="hdfs-sim", settings=settings, **kept)
    stored = logbench.saved_run("last", tmp_path)
    assert stored.record["config"]["model"]["n-gram"]["n"] == 3
    assert len(stored.test) == record.counts["labelled"] and stored.model is not None


@pytest.mark.parametrize("by", ["model", "counts"])
def test_the_command_draws_graphs_within_80_columns(runs: Path, by: str) -> None:
    run = "last~1" if by == "model" else "last"
    done = typed(runs, run, "--by", by)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("workflow 1: ") and "Receiving block" in done.stdout and "(back)" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    found = json.loads(typed(runs, run, "--by", by, "--format", "json").stdout)
    assert sum(len(one["keys"]) for one in found) >= 9
    steps = sum(len(one["steps"]) for one in found)
    within = sum(
        (step["from"] in group) and (step["to"] in group) and step["from"] != step["to"]
        for one in found for step in one["steps"] for group in one["in_any_order"]
    )  # fmt: skip
    mermaid, dot = (typed(runs, run, "--by", by, "--format", form).stdout for form in ("mermaid", "dot"))
    assert mermaid.startswith("flowchart TD") and mermaid.count("->|") == steps - within
    assert mermaid.count("subgraph ") == mermaid.count("\n    end\n") + len(found)
    assert dot.count(" -> ") == steps - within and dot.count("{") == dot.count("}")


def test_the_command_says_where_a_unit_left_its_workflow(runs: Path) -> None:
    stored = logbench.saved_run("last~1", runs)
    frame = logbench.StoredRuns(runs).scores(stored.record)
    [alarm] = frame.filter((pl.col("part") == "test") & pl.col("verdict") & (pl.col("unseen") > 0)).head(1)["unit"]
    done = typed(runs, "last~1", "--unit", alarm)
    assert done.exit_code == 0 and "is unseen in training" in done.stdout and "came      [" in done.stdout
    found = json.loads(typed(runs, "last~1", "--unit", alarm, "--format", "json").stdout)
    unit = stored.sessions[stored.sessions.ids.to_list().index(alarm)]
    unseen = [at for at, key in enumerate(unit.keys) if key >= stored.sessions.vocabulary]
    assert [one["event"] for one in found if one["key"] is not None and one["workflow"] is None] == unseen


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nowhere"], "no run nowhere in "),
        (["last"], "kept no model; run it again with --save FOLDER, or use --by counts"),
        (["last~1", "--unit", "blk_0"], "has no such unit; see: logbench show"),
        (["last~1", "--cut", "0"], "Invalid value for '--cut'"),
    ],
)
def test_bad_input_is_one_line(runs: Path, words: list[str], says: str) -> None:
    done = typed(runs, *words)
    assert done.exit_code, done.output
    said = (
        str(done.exception) if isinstance(done.exception, logbench.LogbenchError) else done.stderr.splitlines()[-1]
    )
    assert says in said and "\n" not in said
