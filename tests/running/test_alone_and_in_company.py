"""A model's figures are its own: the same alone, in company, and from every command, bit for bit."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from with_torch import needs_torch

from logbench import DataError, Plan, run
from logbench.base.child_process import Limits
from logbench.base.progress_bars import Bars
from logbench.components.registry import Registry
from logbench.components.requirements import lack
from logbench.evaluation.paired_tests import swapped
from logbench.running import records
from logbench.running.resolve import resolve
from logbench.running.runner import run_all
from logbench.running.runtime import Runtime
from logbench.running.workers import Crew
from logbench.studies.common_units import common_units, dropping_apart, measured_on
from logbench.studies.compare import compare, confidence, incompatibilities, labelled_test_scores
from logbench.studies.leaderboard import Leaderboard
from logbench.studies.protocol_grid import variants
from logbench.studies.ranked_units import described
from logbench.studies.regression_bench.cells import cells
from logbench.studies.regression_bench.suite import read_suite
from logbench.studies.rescore import rescore
from logbench.studies.sweep.rows import sweep
from logbench.studies.ties import all_pairs
from logbench.studies.workbench import Workbench
from logbench_reporters.table import Table

QUIET = Bars(enabled=False)
REGISTRY = Registry()
# A deep model of each kind: the others run by the same code.
DEEP = ("deeplog", "deeplog-full", "logbert-small", "logrobust")
NAMES = (
    *(n for n, e in REGISTRY.components["model"].items() if not lack(e) and (n in DEEP or not e.item.requires)),
    *("new-event+length", "ecvc+timing"),
)
# One a plugin and kind of supervision, where a command differs from `run` in how it asks for runs alone.
FEW = tuple(name for name in NAMES if name in (
    "deeplog", "logrobust", "pca", "isolation-forest", "knn", "timing", "ecvc", "markov", "new-event+length",
    "ecvc+timing", "sempca"))  # fmt: skip
SMALL: dict[str, dict[str, Any]] = {
    "deeplog": {"h": 4, "hidden": 8, "steps": 10, "g": 2},
    "deeplog-full": {"h": 4, "hidden": 8, "steps": 10, "g": 2, "value_steps": 5, "value_hidden": 4},
    "isolation-forest": {"trees": 10},
    "logrobust": {"length": 10, "hidden": 4, "passes": 3},
    "logbert-small": {"length": 10, "hidden": 16, "heads": 2, "layers": 1, "draws": 2, "passes": 2},
    "random-forest": {"trees": 10},
}
PROTOCOL = {"train": "random_ratio", "train_ratio": 0.5, "content": "labelled", "held_out": 0.2, "alpha": 0.1}
FORM = """
files = ["a.log"]
pattern = '<Label> <Date> <Time> <Id> <Content>'
time = ["Date", "Time"]
time_format = ["%Y-%m-%d %H:%M:%S"]
id = "Id"
label = "Label"
normal = ["-"]
parser = "none"
"""


def lines(count: int = 160) -> Iterator[str]:
    """Sessions of 5 to 7 events and some of 1 to 4; in every eighth an event is new, or goes back."""
    draw, now = random.Random(3), dt.datetime(2026, 1, 1)
    for number in range(count):
        odd = number % 8 == 5
        for at in range(draw.randint(1, 4) if number % 10 == 7 else draw.randint(5, 7)):
            now += dt.timedelta(seconds=draw.randint(1, 9))
            message = (
                "step abcdefg"[: 6 + at] if not (odd and at == 2) else draw.choice(["failed badly", "step a"])
            )
            yield f"{'E' if odd else '-'} {now} n{number} {message}\n"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("log")
    (folder / "a.log").write_text("".join(lines()))
    (folder / "a.toml").write_text(FORM)
    return str(folder / "a.toml")


def plans(log: str, out: Path, names: Sequence[str], **protocol: Any) -> list[Plan]:
    """One plan a model, the others its companions; small models, as far as they take part."""
    taking_part = {part for name in names for part in name.split("+")}
    chosen: dict[str, Any] = {name: options for name, options in SMALL.items() if name in taking_part}
    settings = {**chosen, "protocol": {**PROTOCOL, **protocol}}
    return [Plan(model=name, dataset=log, out=out, settings=settings, companions=tuple(names)) for name in names]


def ran(log: str, out: Path, names: Sequence[str], **protocol: Any) -> list[dict[str, Any]]:
    jobs = [resolve(plan, REGISTRY) for plan in plans(log, out, names, **protocol)]
    return [record.as_dict() for record in run_all(jobs, Runtime.here(REGISTRY, QUIET))]


@pytest.fixture(scope="module")
def alone(log: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, dict[str, Any]]]:
    """Every model by itself."""
    out = tmp_path_factory.mktemp("alone")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGBENCH_CACHE", str(out / "cache"))
        found = {name: ran(log, out, [name])[0] for name in NAMES}
    assert not (wrong := {n: r["error"] for n, r in found.items() if r["status"] != "ok"}), wrong
    return out, found


def assert_same(record: Mapping[str, Any], out: Path, alone: tuple[Path, dict[str, dict[str, Any]]]) -> None:
    """Equal figures and equal stored scores."""
    folder, before = alone[0], alone[1][record["model"]]
    assert record["status"] == "ok", record["error"]
    for part in ("metrics", "trivial", "threshold", "counts", "protocol", "training", "split"):
        assert record[part] == before[part], (record["model"], part)
    assert not incompatibilities(record, before)
    ours, theirs = records.scores(record, out), records.scores(before, folder)
    assert_frame_equal(ours, theirs, check_exact=True)


@needs_torch
def test_each_model_has_a_limit_of_its_own_and_the_protocol_is_as_asked(alone: Any) -> None:
    limits = {name: record["counts"]["short_limit"] for name, record in alone[1].items()}
    assert limits["deeplog"] == 5 and limits["timing"] == limits["ecvc+timing"] == 2 and limits["new-event"] == 1
    short = {name: record["counts"]["short"] for name, record in alone[1].items()}
    assert short["deeplog"] > short["timing"] > short["new-event"] == 0
    assert {record["protocol"]["min_events"] for record in alone[1].values()} == {0}
    assert len({record["protocol"]["hash"] for record in alone[1].values()}) == 1


def test_alone_is_as_in_company(log: str, tmp_path: Path, alone: Any) -> None:
    """Here the last comes first, in the leaderboard and the suite the first."""
    for record in ran(log, tmp_path, NAMES[::-1]):
        assert_same(record, tmp_path, alone)


def test_alone_is_as_in_a_leaderboard(log: str, tmp_path: Path, alone: Any) -> None:
    asked = plans(log, tmp_path, FEW)
    for _, record in Leaderboard(asked, Workbench.here(REGISTRY)).results():
        assert_same(record, tmp_path, alone)
    again = [plan for name in FEW[:3] for plan in plans(log, tmp_path, [name])]
    taken = Leaderboard(again, Workbench.here(REGISTRY)).taken_over
    assert taken == 3, "a run is the same run in other company"


@needs_torch
def test_alone_is_as_in_workers(log: str, tmp_path: Path, alone: Any) -> None:
    with Crew(1, (), Limits(), print) as crew:
        bench = Workbench.here(REGISTRY, executor=crew)
        asked = plans(log, tmp_path, ("deeplog", "timing", "ecvc", "knn"))
        for _, record in Leaderboard(asked, bench).results():
            assert_same(record, tmp_path, alone)


def test_alone_is_as_in_a_suite_of_benchmarks(log: str, tmp_path: Path, alone: Any) -> None:
    models = "".join(
        f'[models."{name}"]\n' + "".join(f"{key} = {value}\n" for key, value in SMALL.get(name, {}).items())
        for name in FEW
    )
    protocol = "".join(f"{key} = {value!r}\n" for key, value in PROTOCOL.items())
    text = f'{models}[datasets.mine]\ndataset = "{log}"\n[protocols.mine]\n{protocol}'
    (tmp_path / "mine.toml").write_text(text)
    asked = [cell.resolved for cell in cells(read_suite(tmp_path / "mine.toml"), REGISTRY)]
    jobs = [replace(resolved, plan=replace(resolved.plan, out=tmp_path)) for resolved in asked]
    for record in run_all(jobs, Runtime.here(REGISTRY, QUIET)):
        assert_same(record.as_dict(), tmp_path, alone)


@pytest.mark.parametrize(
    "name", [pytest.param("deeplog", marks=needs_torch), "new-event", "timing", "ecvc", "markov"]
)
def test_alone_is_as_in_protocols_and_sweep(log: str, tmp_path: Path, alone: Any, name: str) -> None:
    (plan,) = plans(log, tmp_path, [name])
    expected = alone[1][name]["metrics"]["session"]["all"]
    bench = Workbench.here(REGISTRY, resume=False)
    (row,) = [row for row in sweep(plan, ["seed=0"], bench) if row["pick"] == ""]
    assert row["metrics"] == expected
    resolved = resolve(plan, REGISTRY)
    chosen = {name: getattr(resolved.protocol, name) for name in ("short", "unseen", "threshold", "duplicates")}
    rows = [
        row
        for row in variants(resolved, Runtime.here(REGISTRY, QUIET))
        if {name: row["protocol"][name] for name in chosen} == chosen
    ]
    assert [row["metrics"] for row in rows] == [expected]


@needs_torch
def test_a_skipped_companion_sets_no_limit(log: str, tmp_path: Path, alone: Any) -> None:
    first, second = plans(log, tmp_path, ["deeplog", "new-event"])
    long = {"deeplog": {"h": 40}, "protocol": first.settings["protocol"]}
    jobs = [resolve(replace(plan, settings=long), REGISTRY) for plan in (first, second)]
    found = [record.as_dict() for record in run_all(jobs, Runtime.here(REGISTRY, QUIET))]
    assert found[0]["status"] == "skipped"
    assert_same(found[1], tmp_path, alone)


@needs_torch
def test_under_an_explicit_limit_all_have_it_and_one_that_needs_more_is_a_row(log: str, tmp_path: Path) -> None:
    names = ("deeplog", "new-event", "timing")
    assert {r["counts"]["short_limit"] for r in ran(log, tmp_path, names, min_events=6)} == {6}
    first, *others = ran(log, tmp_path, names, min_events=4)
    assert first["status"] == "skipped" and "protocol.min_events=4; give at least 5" in first["error"]["message"]
    assert {record["counts"]["short_limit"] for record in others} == {4}


@needs_torch
def test_runs_that_drop_their_own_short_units_are_compared_on_those_that_both_scored(
    log: str, tmp_path: Path
) -> None:
    runs = ran(log, tmp_path, ("new-event", "deeplog"), short="drop")
    assert dropping_apart(runs) and not incompatibilities(*runs)
    common = common_units(runs, tmp_path)
    stored = [records.scores(run, tmp_path).filter(pl.col("part") == "test") for run in runs]
    both = stored[0].join(stored[1], on="index").filter(
        pl.col("verdict").is_not_null() & pl.col("verdict_right").is_not_null() & (pl.col("label") >= 0)
    )  # fmt: skip
    assert common.to_list() == sorted(both["index"]) and len(common) == runs[1]["counts"]["scored"]
    rows = compare([measured_on(common, run, tmp_path, REGISTRY) for run in runs], "recall", 0.0)
    caught = [both.filter(pl.col("label") == 1)[name].mean() for name in ("verdict", "verdict_right")]
    assert [row["recall"] for row in rows] == pytest.approx(caught)
    found, _ = confidence(*runs, tmp_path, "recall", 50, 0, common)
    assert found["low"] <= rows[1]["difference"] <= found["high"]
    found = all_pairs(runs, "f1", tmp_path, swaps=200)
    kept = [labelled_test_scores(run, tmp_path).filter(pl.col("index").is_in(common.implode())) for run in runs]
    assert found.p == {("new-event", "deeplog"): swapped(*kept, "f1", swaps=200, seed=0)}
    assert f"those that both scored ({len(common)})" in found.said()
    with pytest.raises(DataError, match="judged other units"):
        confidence(*runs, tmp_path, "recall", 50, 0)


def test_dropped_units_of_any_label_stop_no_model(tmp_path: Path) -> None:
    """Null scores and verdicts reach every later step: storing, metrics of events, rescoring, ranking, tables."""
    unknown = ("?" + line[1:] if int(line.split(" n")[1].split()[0]) % 3 == 0 else line for line in lines())
    (tmp_path / "a.log").write_text("".join(unknown))
    (tmp_path / "a.toml").write_text(FORM.replace('normal = ["-"]', 'normal = ["-"]\nanomalous = ["E"]'))
    found = ran(str(tmp_path / "a.toml"), tmp_path, NAMES, short="drop", min_events=6, content="labelled")
    for record in found:
        assert record["status"] == "ok", (record["model"], record["error"])
        stored = records.scores(record, tmp_path)
        short = stored["events"] < 6
        assert stored["verdict"].is_null().equals(short) and stored["score"].is_null().equals(short)
        dropped = stored.filter((pl.col("part") == "test") & (pl.col("events") < 6))
        assert dropped["label"].unique().sort().to_list() == [-1, 0, 1], "the case that this is about"
        labelled = dropped.filter(pl.col("label") >= 0)
        assert sum(record["counts"]["excluded"].values()) == len(labelled)
        assert rescore(record, tmp_path, {"short": "miss"}, (), REGISTRY, "").counts["excluded"]["anomaly"] == 0
        assert described(record, tmp_path, "top", 5, REGISTRY)
    assert all(name in Table("simple").report(found) for name in NAMES)


def test_a_run_from_python_is_the_same_run(log: str, tmp_path: Path, alone: Any) -> None:
    (record,) = run("markov", dataset=log, out=tmp_path, settings={"protocol": PROTOCOL})
    assert_same(record.as_dict(), tmp_path, alone)
