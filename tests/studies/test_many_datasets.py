"""Models over data sets, and ties of a leaderboard: which are told apart, and what is left out or refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_records import made

from logbench import DataError
from logbench.base.files import write_parquet
from logbench.evaluation.paired_tests import swapped
from logbench.studies.compare import both
from logbench.studies.many_datasets import across
from logbench.studies.many_models import holm
from logbench.studies.ties import Pairs, all_pairs
from logbench.testing import Done


def record(model: str, f1: float, dataset: str = "d", split: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "run_id": f"{dataset}-{model}-{split}", "model": model, "seed": 0, "status": "ok", "error": None,
        "dataset": {"name": dataset, "unit": "session"},
        "protocol": {"duplicates": "all", "split_seed": split, "train": "random"},
        "split": {"digest": str(split), "train": 90, "held_out": 10, "test": 10},
        "metrics": {"session": {"all": {"f1": f1}, "distinct": None}},
        "directions": {"session": {"f1": "higher"}}, "artifacts": {},
        **more,
    }  # fmt: skip


def grid(sets: int, **models: float) -> list[dict[str, Any]]:
    """Each model a little better or worse on each data set."""
    rng = np.random.default_rng(0)
    return [
        record(model, value + float(rng.normal(0, 0.02)), f"d{at}")
        for at in range(sets)
        for model, value in models.items()
    ]


def test_a_clear_order_is_found_and_near_models_are_tied() -> None:
    found = across(grid(12, bad=0.2, good=0.9, fine=0.9), "f1")
    assert set(found.models[:2]) == {"good", "fine"} and found.models[2] == "bad"
    assert found.friedman.p < 0.001 and found.p_holm[0] == 1 and found.p_holm[2] < 0.01 < found.p_holm[1]
    assert [set(group) for group in found.tied] == [{"good", "fine"}]
    assert found.ranks[2] == 3 and len(found.values[0]) == 12


def test_where_nothing_differs_all_are_tied() -> None:
    found = across(grid(4, a=0.5, b=0.5, c=0.5), "f1")
    assert found.friedman.p > 0.05 and found.tied == (found.models,)


def test_seeds_and_splits_are_no_observations_and_missing_models_are_left_out() -> None:
    runs = [record("a", 0.4, split=0), record("a", 0.6, split=1), record("b", 0.3), record("c", 0.9)]
    found = across([*runs, record("a", 0.8, "e"), record("b", 0.9, "e")], "f1")
    assert found.values[found.models.index("a")] == pytest.approx((0.5, 0.8)) and found.left_out == ("c",)
    with pytest.raises(DataError, match="takes two of both"):
        across(runs, "f1")


def test_runs_of_one_data_set_under_other_protocols_are_refused() -> None:
    other = record("b", 0.5)
    other["protocol"]["train"] = "first"
    with pytest.raises(DataError, match="not comparable: protocol"):
        across([record("a", 0.5), other], "f1")


def stored(folder: Path, model: str, right: Any, f1: float) -> dict[str, Any]:
    """A run whose verdict on 60 distinct anomalies is right where `right` says so."""
    rows = pl.DataFrame(
        {"part": "test", "index": range(60), "label": 1, "verdict": right, "weight": 1.0, "sequence": range(60)},
        schema_overrides={"label": pl.Int8, "sequence": pl.UInt32},
    )
    write_parquet(rows, folder / f"{model}.parquet")
    return record(model, f1, artifacts={"scores": f"{model}.parquet"})


def test_a_leaderboard_says_who_is_not_told_apart_from_the_best(tmp_path: Path) -> None:
    at = np.arange(60)
    runs = [
        stored(tmp_path, "best", at > 2, 0.97),
        stored(tmp_path, "near", at > 3, 0.96),
        stored(tmp_path, "far", at > 40, 0.4),
        record("lost", 0.3),
    ]
    found = all_pairs(runs, "f1", tmp_path)
    assert (
        found.p["best", "near"] > 0.5 and found.p["best", "far"] < 0.01 and found.models == ("best", "near", "far")
    )
    assert found.letters() == {"best": "a", "near": "a", "far": "b"}
    assert "Holm's correction for 3 pairs" in found.said()
    assert Pairs((), {}).said() == "" and Pairs((), {}).letters() == {}


def test_many_models_do_not_make_all_of_them_alike(tmp_path: Path) -> None:
    """Holm's correction multiplies p by the number of pairs, and p is no smaller than one in so many swaps."""
    at = np.arange(60)
    runs = [stored(tmp_path, f"good-{one}", at > 2, 0.97) for one in range(4)]
    runs += [stored(tmp_path, f"bad-{one}", at > 40, 0.4) for one in range(4)]
    found = all_pairs(runs, "f1", tmp_path, swaps=len(runs))
    assert {found.letters()[name] for name in found.models[:4]} == {"a"}
    assert {found.letters()[name] for name in found.models[4:]} == {"b"}


@pytest.mark.parametrize("duplicates", ["all", "unique"])
def test_each_pair_is_tested_as_it_would_be_alone(tmp_path: Path, duplicates: str) -> None:
    """Though what one run adds is summed once for all pairs, and pairs are tested side by side."""
    rng = np.random.default_rng(3)
    sequence = rng.integers(0, 40, 300)
    runs = []
    for name in "abcd":
        right = rng.random(40)[sequence] < 0.7
        units = {"index": np.arange(300), "label": sequence % 3 == 0, "verdict": right == (sequence % 3 == 0)}
        rows = pl.DataFrame({"part": "test", **units, "weight": rng.integers(1, 4, 300), "sequence": sequence})
        rows = rows.cast({"label": pl.Int8, "weight": pl.Float64, "sequence": pl.UInt32})
        write_parquet(rows, tmp_path / f"{name}.parquet")
        runs.append(record(name, 0.5, artifacts={"scores": f"{name}.parquet"}))
        runs[-1]["protocol"]["duplicates"] = duplicates
        runs[-1]["metrics"]["session"]["distinct"] = {"f1": 0.5}
    found = all_pairs(runs, "f1", tmp_path, swaps=300)
    alone = [swapped(*both(one, other, tmp_path), "f1", swaps=300, seed=0) for one, other in combinations(runs, 2)]
    assert list(found.p.values()) == holm(alone) and len(set(alone)) > 3


@given(st.integers(2, 7).flatmap(lambda n: st.lists(st.booleans(), min_size=n * n, max_size=n * n)))
def test_two_models_share_a_letter_where_they_are_not_told_apart_and_nowhere_else(apart: list[bool]) -> None:
    names = tuple(f"m{at}" for at in range(int(len(apart) ** 0.5)))
    p = {pair: 0.01 if told else 0.5 for pair, told in zip(combinations(names, 2), apart, strict=False)}
    letters = Pairs(names, p).letters()
    assert all(bool(set(letters[a]) & set(letters[b])) == (value > 0.05) for (a, b), value in p.items())
    assert all(letters.values()) and letters[names[0]].startswith("a")
    every = {letter: {name for name in names if letter in letters[name]} for letter in "".join(letters.values())}
    assert not any(one < other for one in every.values() for other in every.values()), "no letter too many"


def test_over_random_splits_the_difference_is_tested_with_its_correction() -> None:
    rng = np.random.default_rng(1)
    luck = rng.normal(0, 0.05, 5)
    runs = [record(m, 0.8 + luck[s] - less, split=s) for m, less in (("a", 0), ("b", 0.1)) for s in range(5)]
    runs[-1]["metrics"]["session"]["all"]["f1"] += 0.01
    assert all_pairs(runs, "f1", Path("none")).p["a", "b"] < 0.001
    runs[-1]["metrics"]["session"]["all"]["f1"] += 0.4
    assert all_pairs(runs, "f1", Path("none")).p["a", "b"] > 0.05


def test_the_command_ranks_all_runs_of_a_folder(tmp_path: Path, run_logbench: Callable[..., Done]) -> None:
    stored = "".join(json.dumps(made(**run).as_dict()) + "\n" for run in grid(6, bad=0.2, good=0.9))
    (tmp_path / "records.jsonl").write_text(stored)
    done = run_logbench("compare", "--across", "datasets", "--out", str(tmp_path))
    lines = done.out.splitlines()
    assert lines[2].split()[:2] == ["good", "1.00"] and lines[3].split()[:2] == ["bad", "2.00"], done.err
    assert "Friedman" in done.err and "Nemenyi" in done.err
    as_json = run_logbench("compare", "--across", "datasets", "--out", str(tmp_path), "--json")
    assert json.loads(as_json.out)["models"] == ["good", "bad"]
