"""A sweep says of each choice what a run of its own says, trains no more than it must, and marks its picks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from with_torch import needs_torch

import logbench
from logbench import ConfigError, Plan
from logbench.base.progress_bars import Bars
from logbench.cli.shared_options import threshold_text
from logbench.components.registry import Registry
from logbench.running import records
from logbench.running.resolve import resolve
from logbench.studies.rescore import rescore
from logbench.studies.sweep.choices import choices
from logbench.studies.sweep.rows import sweep
from logbench.studies.workbench import Workbench

SIM = {"hdfs-sim": {"blocks": "1500"}, "protocol": {"train_units": "300", "alpha": "0.02"}}
QUIET = Bars(enabled=False)


def swept(plan: Plan, over: list[str]) -> Iterator[dict[str, Any]]:
    return sweep(plan, over, Workbench.here())


def of(plan: Plan, *texts: str) -> list[tuple[str, str, tuple[str, ...], bool]]:
    found = choices(texts, resolve(plan, Registry()))
    return [(c.component, c.key, c.values, c.late) for c in found]


def test_what_over_means() -> None:
    plan = Plan(model="deeplog", dataset="hdfs-sim")
    assert of(plan, "g=1:3", "steps=5,10", "seed=0:1") == [
        ("model", "g", ("1", "2", "3"), True),
        ("model", "steps", ("5", "10"), False),
        ("", "seed", ("0", "1"), False),
    ]
    assert of(plan, "g=1:3,steps=5,10, seed=0:1") == of(plan, "g=1:3", "steps=5,10", "seed=0:1")
    assert of(plan, "alpha=0.01:0.03:0.01", "protocol.train=first,random", "drain.depth=4", "deeplog.g=7") == [
        ("protocol", "alpha", ("0.01", "0.02", "0.03"), True),
        ("protocol", "train", ("first", "random"), False),
        ("drain", "depth", ("4",), False),
        ("deeplog", "g", ("7",), True),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("g", "expected KEY=VALUES"),
        ("g=", "expected KEY=VALUES"),
        ("g=5:1", "expected KEY=VALUES"),
        ("gg=1", "neither deeplog nor the protocol has it; did you mean 'g'"),
        ("g=x", "deeplog.g=x"),
        ("alpha=1.2.3:4", "protocol.alpha=1.2.3:4"),
        ("g=0:99999999999", "more than 10,000 values"),
        ("seed=a", "a seed is a whole number from 0, not a"),
        ("seed=0,-1", "a seed is a whole number from 0, not -1"),
        ("short=often", "protocol.short=often"),
    ],
)
def test_a_wrong_choice_is_one_line_before_anything_runs(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        list(swept(Plan(model="deeplog", dataset="hdfs-sim", out=tmp_path), [text]))
    assert not (tmp_path / records.FILE).exists()


def f1(model: str, folder: Path, **settings: dict[str, str]) -> float:
    every = {name: {**SIM.get(name, {}), **settings.get(name, {})} for name in {*SIM, *settings}}
    (record,) = logbench.run(model, dataset="hdfs-sim", settings=every, out=folder)
    assert record.error is None
    return float(record.metrics["session"]["all"]["f1"])


@needs_torch
def test_each_row_is_what_a_run_says_and_late_choices_train_nothing(tmp_path: Path) -> None:
    plan = Plan(model="deeplog", dataset="hdfs-sim", settings=SIM, out=tmp_path / "swept")
    over = ["steps=5,20", "g=2,6", "short=flag,miss"]
    rows = list(swept(plan, over))
    asked = {(*row["early"].values(), *row["late"].values()): row for row in rows if not row["pick"]}
    assert len(asked) == 8 and len(rows) == 8 + 2 * 2
    assert len(list(records.read(tmp_path / "swept"))) == 2, "one run for each number of steps"
    for steps, g, short in (("5", "2", "flag"), ("20", "6", "miss"), ("20", "2", "flag")):
        protocol = {"threshold": "fixed", "short": short}
        own = f1("deeplog", tmp_path, deeplog={"steps": steps, "g": g}, protocol=protocol)
        assert asked[steps, g, short]["metrics"]["f1"] == own
        assert asked[steps, g, short]["threshold"]["source"] == "fixed"
    picks = {(row["early"]["steps"], row["pick"]): row for row in rows if row["pick"]}
    assert picks["20", "label-free"]["metrics"]["f1"] == f1("deeplog", tmp_path, deeplog={"steps": "20"})
    best = max(asked["5", g, "flag"]["metrics"]["f1"] for g in ("2", "6"))
    assert (
        picks["5", "oracle"]["metrics"]["f1"] >= best and picks["5", "oracle"]["threshold"]["source"] == "oracle"
    )


def test_alpha_is_late_but_where_scores_depend_on_it(tmp_path: Path) -> None:
    """A combination's levels are learnt with alpha, so that each alpha needs a run, and none can be rescored."""
    for model, late in (("ecvc", True), ("length+event", True), ("ecvc+length", False)):
        assert of(Plan(model=model, dataset="hdfs-sim"), "alpha=0.1") == [("protocol", "alpha", ("0.1",), late)]
    plan = Plan(model="ecvc+length", dataset="hdfs-sim", settings=SIM, out=tmp_path)
    rows = list(swept(plan, ["alpha=0.02,0.5"]))
    first, second = records.read(tmp_path)
    asked = [row["metrics"] for row in rows if not row["pick"]]
    assert asked == [record["metrics"]["session"]["all"] for record in (first, second)] and asked[0] != asked[1]
    with pytest.raises(ConfigError, match=r"protocol\.alpha acts before scoring"):
        rescore(first, tmp_path, {"alpha": "0.5"}, (), Registry(), "")


def test_a_sweep_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    plan = Plan(model="ecvc", dataset="hdfs-sim", settings=SIM, out=tmp_path)
    list(swept(plan, ["max_train=5"]))
    rows = list(swept(plan, ["max_train=5,9", "value=0.01,0.1"]))
    found = [record["config"]["model"]["max_train"] for record in records.read(tmp_path)]
    assert found == [5, 9] and len(rows) == 8
    assert [row["threshold"]["value"] for row in rows if not row["pick"]] == [0.01, 0.1, 0.01, 0.1]


@pytest.mark.parametrize(
    ("model", "over", "runs", "twin"),
    [
        ("length", ["seed=0:2"], 1, "seed=0"),
        ("random", ["seed=0:2"], 3, None),
        ("length", ["label_noise=0,0.2", "label_noise_kind=symmetric,normal_to_anomaly"], 3, "label_noise=0"),
        ("length", ["train=first,random_ratio", "train_units=200,300"], 3, "train=random_ratio, train_units=200"),
    ],
)
def test_values_that_make_the_same_run_run_once_and_say_so(
    model: str, over: list[str], runs: int, twin: str | None, tmp_path: Path
) -> None:
    content = "labelled" if "noise" in over[0] else "normal"
    settings = {**SIM, "protocol": {**SIM["protocol"], "content": content}}
    rows = list(swept(Plan(model=model, dataset="hdfs-sim", settings=settings, out=tmp_path), over))
    assert len(list(records.read(tmp_path))) == runs == len({row["run"] for row in rows})
    said = [row["skipped"] for row in rows if "skipped" in row]
    assert all(text.startswith(f"the same run as {twin}") for text in said) and bool(said) == bool(twin)
    shown = {tuple(row["early"].values()) for row in rows if "skipped" not in row}
    assert len(shown) == runs


def test_a_choice_that_cannot_be_served_says_why(tmp_path: Path) -> None:
    plan = Plan(model="ecvc", dataset="hdfs-sim", settings=SIM, out=tmp_path)
    rows = list(swept(plan, ["train=first,given"]))
    reasons = [row.get("skipped", "") for row in rows if not row["pick"]]
    assert (
        reasons[0] == ""
        and reasons[1].startswith("train = given needs a data set that names")
        and reasons[2:] == []
    )


def test_the_command_shows_runs_side_by_side(run_logbench: Any) -> None:
    words = ["sweep", "ecvc", "--dataset", "hdfs-sim", "--set", "hdfs-sim.blocks=1500"]
    words += ["--set", "protocol.train_units=300", "--over", "max_train=5,9"]
    shown = run_logbench(*words, "--over", "alpha=0.01,0.2")
    lines = shown.out.splitlines()
    assert shown.code == 0 and "max_train=5" in shown.out and max(map(len, lines)) <= 100, shown.err
    assert [line.split()[0] for line in lines if " at " in line] == ["label-free", "oracle"]
    five = run_logbench(*words[:-1], *(f"dataset.normal_total={','.join('12345')}", "--over", "max_train=5"))
    assert max(map(len, five.out.splitlines())) <= 100, "more than fit stand below each other"
    (row, *_) = [json.loads(line) for line in run_logbench(*words, "--json").out.splitlines()]
    assert row["early"] == {"max_train": "5"} and 0 <= row["metrics"]["f1"] <= 1


@pytest.mark.parametrize(("value", "exact", "shown"), [
    (None, "-inf", "−∞"), (None, "inf", "∞"), (0.25, "0.25", "0.25"), (None, None, None),
])  # fmt: skip
def test_a_threshold_is_shown_with_its_sign_where_it_is_infinite(value: Any, exact: Any, shown: Any) -> None:
    assert threshold_text({"value": value} | ({"exact": exact} if exact else {})) == shown


def test_a_metric_that_is_not_there_shows_no_table(run_logbench: Any, tmp_path: Path) -> None:
    settings = [f"--set={name}.{key}={value}" for name, of in SIM.items() for key, value in of.items()]
    asked = ["sweep", "new-event", "--dataset", "hdfs-sim", "--over", "alpha=0.02,0.05", "--metric", "nope"]
    done = run_logbench(*asked, *settings, "--out", str(tmp_path))
    assert done.code == 2 and "no evaluator gives 'nope'" in done.err and not done.out
