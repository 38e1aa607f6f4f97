"""Baselines that stand beside the models of a table, once each, as runs like any other; and seeds that count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import logbench
from logbench import ModelTraits, Plan
from logbench.components.entry import Plugin, installed
from logbench.components.registry import Registry
from logbench.running import records, run_names
from logbench.studies.baselines import beside

SMALL = ("--dataset", "hdfs-sim", "--set", "dataset.blocks=600", "--set", "protocol.train_units=200")
PLAN = Plan(model="length", dataset="hdfs-sim", companions=("length",))
LABELLED = {"protocol": {"content": "labelled"}}


def names(*plans: Plan, without: tuple[str, ...] = (), registry: Registry | None = None) -> list[tuple[str, bool]]:
    return [(plan.model, plan.baseline) for plan in beside(plans, registry or Registry(), without)]


def test_ecvc_stands_beside_every_model_and_nearest_neighbours_where_labels_train() -> None:
    assert names(PLAN) == [("length", False), ("ecvc", True)]
    assert names(replace(PLAN, settings=LABELLED)) == [("length", False), ("ecvc", True), ("knn", True)]


@pytest.mark.parametrize(("model", "beside_it"), [("ecvc", []), ("ecvc+length", ["ecvc"]), ("event", ["ecvc"])])
def test_no_baseline_stands_there_twice(model: str, beside_it: list[str]) -> None:
    assert names(replace(PLAN, model=model)) == [(model, False), *((name, True) for name in beside_it)]
    assert names(PLAN, without=("ecvc",)) == [("length", False)], "who leaves one out does not want it"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Where the command leaves its records."""
    return tmp_path / "runs"


def test_a_threshold_of_one_model_is_none_for_another() -> None:
    """`protocol.value` is on the scale of what was asked for."""
    asked = replace(PLAN, model="edit", settings={"protocol": {"threshold": "fixed", "value": "0.5"}})
    assert names(asked) == [("edit", False)]
    own = replace(PLAN, model="edit", settings={"protocol": {"threshold": "fixed"}})
    assert names(own) == [("edit", False), ("ecvc", True)]


class Constant:
    def fit(self, train: Any, context: Any) -> None: ...

    def score(self, sessions: Any, context: Any) -> Any:
        return sessions.lengths.astype(float)


@pytest.fixture
def registry() -> Registry:
    class Offer:
        @staticmethod
        @logbench.hookimpl
        def logbench_models() -> Iterator[logbench.ModelComponent[Any]]:
            yield logbench.ModelComponent("chance", Constant, traits=ModelTraits(baseline=True))
            yield logbench.ModelComponent(
                "taught", Constant, traits=ModelTraits(supervision="supervised", baseline=True)
            )

    return Registry([*installed(), Plugin("offer", "tests", "0", lambda: Offer)])


def test_any_distribution_may_bring_one_and_each_split_has_them(registry: Registry) -> None:
    """A stochastic one runs with every seed, a deterministic one with the first."""
    asked = [replace(PLAN, split_seed=split, seed=seed) for split in (0, 1) for seed in (4, 5)]
    found = [(plan.split_seed, plan.model, plan.seed) for plan in beside(asked, registry) if plan.baseline]
    assert found == [(split, *rest) for split in (0, 1) for rest in (("ecvc", 4), ("chance", 4), ("chance", 5))]
    labelled = [replace(PLAN, settings=LABELLED)]
    assert {"knn", "taught"} <= {plan.model for plan in beside(labelled, registry) if plan.baseline}


def test_options_of_the_model_are_not_those_of_the_baseline(run_logbench: Any, runs: Path) -> None:
    done = run_logbench("run", "n-gram", *SMALL, "--set", "model.n=3", "--set", "ecvc.max_train=7")
    first, second = records.read(runs)
    assert done.code == 0, done.err
    assert (first["config"]["model"]["n"], second["config"]["model"]["max_train"]) == (3, 7)


def rows(text: str) -> list[str]:
    return [
        line.split()[0] if not line.startswith("baseline: ") else line[:14] for line in text.splitlines() if line
    ]


def test_a_table_has_them_and_last_is_what_was_asked_for(run_logbench: Any, runs: Path) -> None:
    shown = run_logbench("run", "length", *SMALL)
    assert shown.code == 0, shown.err
    asked, reference = records.read(runs)
    assert (asked["model"], asked["baseline"], reference["model"], reference["baseline"]) == (
        "length", False, "ecvc", True
    )  # fmt: skip
    assert reference["artifacts"]["scores"] and reference["metrics"], "a run like any other"
    ranking = shown.out.partition("cost on")[0]
    assert [name for name in rows(ranking) if name in {"length", "baseline: ecvc"}] == [
        "length",
        "baseline: ecvc",
    ]
    assert asked["run_id"] in shown.err, "what to look at next is what was asked for"
    assert run_names.find("last", runs)["model"] == "length"
    assert run_names.find(reference["run_id"], runs)["model"] == "ecvc"
    for words in (("--no-baselines",), ("--json",)):
        alone = run_logbench("run", "length", *SMALL, *words)
        assert "ecvc" not in alone.out and alone.code == 0
    assert len(list(records.read(runs))) == 4
    wanted = run_logbench("run", "length", *SMALL, "--json", "--baselines")
    assert len(wanted.out.splitlines()) == 2
    again = run_logbench("leaderboard", *SMALL, "--models", "ecvc,length")
    assert "2 of 2 runs taken over" in again.err and "baseline: ecvc" not in again.out, "asked for, it has a rank"
    beside_it = run_logbench("leaderboard", *SMALL, "--models", "length")
    assert "2 of 2 runs taken over" in beside_it.err and "baseline: ecvc" in beside_it.out


def test_a_baseline_does_not_stand_in_for_a_model_that_did_not_run(run_logbench: Any) -> None:
    done = run_logbench("run", "decision-tree", *SMALL)
    assert done.code == 2 and "logbench show" not in done.err


def test_a_rescored_baseline_was_asked_for(run_logbench: Any, runs: Path) -> None:
    run_logbench("run", "length", *SMALL)
    _, reference = records.read(runs)
    assert run_logbench("rescore", reference["run_id"]).code == 0
    assert run_names.find("last", runs)["model"] == "ecvc"


def test_a_leaderboard_repeats_what_seeds_change_and_says_so(run_logbench: Any, runs: Path) -> None:
    done = run_logbench("leaderboard", *SMALL, "--models", "random,length,random+length", "--no-baselines")
    seeds = sorted((record["model"], record["seed"]) for record in records.read(runs))
    assert seeds == [("length", 0), *((name, seed) for name in ("random", "random+length") for seed in (0, 1, 2))]
    assert "random (3 seeds)" in done.out and "rows without a number of seeds: deterministic" in done.out
    assert any(line.startswith("length  ") for line in done.out.splitlines())
    one = run_logbench("run", "random", "length", *SMALL, "--no-baselines")
    assert "random (1 seed)" in one.out and any(line.startswith("length  ") for line in one.out.splitlines())


SETTLED = [
    name for name, entry in Registry().components["model"].items()
    if not entry.item.traits.stochastic and entry.plugin.distribution == "logbench-harness"
]  # fmt: skip


@pytest.mark.parametrize("preset", [None, "loglizer-supervised"])
def test_models_that_say_so_are_deterministic(preset: str | None, tmp_path: Path) -> None:
    """On many sessions, with every branch of a solver: bit for bit the same scores with another seed."""
    settings = {"dataset": {"blocks": 2000}, "protocol": {} if preset else {"train_units": 1000}}
    asked: dict[str, Any] = {"dataset": "hdfs-sim", "preset": preset, "settings": settings, "out": tmp_path}
    found: dict[str, list[pl.Series]] = {}
    for record in logbench.run(SETTLED, seeds=(0, 1), **asked):
        if record.status == "ok":
            found.setdefault(record.model, []).append(records.scores(record.as_dict(), tmp_path)["raw"])
    assert len(found) > 5 and all(first.equals(second) for first, second in found.values())
