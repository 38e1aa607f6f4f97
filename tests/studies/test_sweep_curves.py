"""A learning curve has one test set, its rows are the runs that they name, and rows that are not alike say so."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from logbench.cli.sweep import MARKS

pytestmark = pytest.mark.slow  # each test types several commands: two minutes on two cores
SIM = ["--dataset", "hdfs-sim", "--set", "hdfs-sim.blocks=800"]


def rows_of(run_logbench: Any, *words: str) -> list[dict[str, Any]]:
    done = run_logbench("sweep", "ecvc", *SIM, *words, "--json")
    assert done.code == 0, done.err
    return [json.loads(line) for line in done.out.splitlines()]


@pytest.mark.parametrize(
    ("over", "protocol", "reserve"),
    [
        ("train_units=20,60,150", ["train=first"], "150"),
        ("train_units=150,20", ["train=random", "content=mixed"], "150"),
        ("train_ratio=0.1,0.4", ["train=random_ratio", "contamination=0.01"], "0.4"),
    ],
)
def test_all_sizes_have_one_test_set_and_each_row_its_own_run(
    run_logbench: Any, tmp_path: Path, over: str, protocol: list[str], reserve: str
) -> None:
    words = [word for field in protocol for word in ("--set", f"protocol.{field}")]
    rows = rows_of(run_logbench, *words, "--over", over, "--out", str(tmp_path / "swept"))
    assert len({row["split"]["test_digest"] for row in rows}) == 1
    assert len({row["metrics"]["prevalence"] for row in rows}) == 1
    assert all("tests" not in row["unlike"] for row in rows)
    assert len({row["split"]["train"] for row in rows}) == len({row["run"] for row in rows}) > 1
    for row in (rows[0], rows[-1]):  # as asked at the first size, as the oracle picks at the last
        typed = shlex.split(row["command"])
        assert typed[:2] == ["logbench", "run"] and f"protocol.test_reserve={reserve}" in typed
        typed[typed.index("--out") + 1] = str(tmp_path / "alone")
        (record,) = map(json.loads, run_logbench(*typed[1:], "--json").out.splitlines())
        assert record["metrics"]["session"]["all"] == row["metrics"]
        assert record["threshold"]["exact"] == row["threshold"]["exact"]
        assert record["split"] == row["split"]


def test_a_reserve_that_is_given_stays_and_none_means_none(run_logbench: Any, tmp_path: Path) -> None:
    out = ("--out", str(tmp_path))
    given = rows_of(run_logbench, *out, "--set", "protocol.test_reserve=200", "--over", "train_units=20,60")
    assert {row["protocol"]["test_reserve"] for row in given} == {200.0}
    none = rows_of(run_logbench, *out, "--set", "protocol.test_reserve=none", "--over", "train_units=20,60")
    assert {row["protocol"]["test_reserve"] for row in none} == {None}
    assert [row["unlike"] for row in none if not row["pick"]] == [[], ["tests", "threshold"]]


def test_one_size_needs_no_reserve(run_logbench: Any, tmp_path: Path) -> None:
    rows = rows_of(run_logbench, "--out", str(tmp_path), "--over", "train_units=60", "--over", "alpha=0.01,0.1")
    assert {row["protocol"]["test_reserve"] for row in rows} == {None}


def test_rows_decided_from_one_run_say_what_they_are_unlike_in(run_logbench: Any, tmp_path: Path) -> None:
    over = ["short=flag,drop", "duplicates=all,unique", "alpha=0.01,0.1", "min_events=8,12"]
    words = [word for one in over for word in ("--over", one)]
    rows = rows_of(run_logbench, "--set", "protocol.train_units=100", "--out", str(tmp_path), *words)
    asked = [row for row in rows if not row["pick"]]
    assert len(asked) == 16
    for row in asked:
        late = row["late"]
        tests = late["short"] == "drop" or late["duplicates"] == "unique"
        expected = [*(["tests"] if tests else []), *(["threshold"] if late["min_events"] == "12" else [])]
        assert row["unlike"] == expected, late


@pytest.mark.parametrize("short", ["flag", "drop"])
def test_every_limit_of_short_units_has_its_row_whatever_the_protocol_asks(
    run_logbench: Any, tmp_path: Path, short: str
) -> None:
    words = ["--set", "protocol.min_events=11", "--set", f"protocol.short={short}", "--out", str(tmp_path)]
    rows = rows_of(run_logbench, *words, "--over", "min_events=20,0,4,3")
    assert [row["late"].get("min_events") for row in rows] == ["20", "0", "4", "3", None, None]
    assert [row["counts"]["short_limit"] for row in rows] == [20, 1, 4, 3, 11, 11]
    for row in rows:
        typed = shlex.split(row["command"])
        (record,) = map(json.loads, run_logbench(*typed[1:], "--json").out.splitlines())
        assert record["metrics"]["session"]["all"] == row["metrics"]
        assert record["counts"] == {**row["counts"], "needed": 1}


@pytest.mark.parametrize("threshold", ["validation", "fixed"])
def test_rows_of_several_runs_say_what_they_are_unlike_in(
    run_logbench: Any, tmp_path: Path, threshold: str
) -> None:
    over = ["held_out=0.1,0.3", "dataset.normal_total=1000,2000", "split_seed=0,1"]
    words = [word for one in over for word in ("--over", one)]
    base = ["train=random", "train_units=100", f"threshold={threshold}"]
    base += ["value=0.3"] if threshold == "fixed" else []
    sets = [word for one in base for word in ("--set", f"protocol.{one}")]
    for row in rows_of(run_logbench, *sets, "--out", str(tmp_path), *words):
        early = row["early"]
        tests = early["dataset.normal_total"] == "2000" or early["split_seed"] == "1"
        chosen = early["held_out"] == "0.3" or early["split_seed"] == "1"
        by_units = row["pick"] == "label-free" or (not row["pick"] and threshold == "validation")
        expected = [*(["tests"] if tests else []), *(["threshold"] if chosen and by_units else [])]
        assert row["unlike"] == expected, row["pick"]


def test_the_table_marks_them_and_shows_the_command(run_logbench: Any, tmp_path: Path) -> None:
    words = ["sweep", "ecvc", *SIM, "--out", str(tmp_path), "--over", "train_units=20,60"]
    text = run_logbench(*words).out
    (tests, _), (threshold, said) = MARKS["tests"], MARKS["threshold"]
    (asked,) = (line for line in text.splitlines() if line.startswith("as asked"))
    assert tests not in text and asked.count(threshold) == 1 and f"{threshold} {said}" in text
    command = text[text.index("logbench run") :].replace("\\\n", "")
    typed = shlex.split(command)
    assert typed[-4:] == ["--set", "protocol.train_units=20", "--set", "protocol.test_reserve=60"]
    assert max(map(len, text.splitlines())) <= 100
    marked = run_logbench(*words, "--set", "protocol.test_reserve=none").out
    assert f"{tests}{threshold}" in marked and f"{tests} {MARKS['tests'][1]}" in marked


def test_cut_lines_have_one_test_set_too(run_logbench: Any, tmp_path: Path) -> None:
    lines = [f"{at},E{at * at % 7},{'x' if at % 11 == 10 else '-'}\n" for at in range(600)]
    log = tmp_path / "a_structured.csv"
    log.write_text("LineId,EventId,Label\n" + "".join(lines))
    words = ["sweep", "length", "--dataset", "loghub-structured", "--data", str(log), "--out", str(tmp_path)]
    words += ["--set", "loghub-structured.label=Label", "--set", "count.size=5", "--over", "train_ratio=0.2,0.6"]
    rows = [json.loads(line) for line in run_logbench(*words, "--json").out.splitlines()]
    assert [row["split"]["reserved"] for row in rows if row["pick"] == "oracle"] == [48, 0]
    assert len({row["split"]["test_digest"] for row in rows}) == 1 and {row["split"]["test"] for row in rows} == {
        48
    }
