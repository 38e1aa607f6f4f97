"""What a bundle keeps of held-out units, and what is said where failures among them drive the threshold."""

from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl
import pytest

import logbench
from logbench.components.registry import Registry
from logbench.running.bundle import Bundle
from logbench.running.held_out import failures_said, units_a_day
from logbench.running.records import scores

DEFINITION = """
files = "a.log"
pattern = "<Time> <Job> <Content>"
time = "Time"
time_format = "epoch"
id = "Job"
parser = "none"
"""


def log(jobs: int = 400, failing: int = 100) -> str:
    """One job in `failing` fails; a job takes a minute, ten an hour."""
    lines = []
    for job in range(jobs):
        end = "job failed" if job % failing == 7 else "job done"
        lines += [f"{360 * job + at * 20} j{job} {text}\n" for at, text in enumerate(("start", "work", end))]
    return "".join(lines)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, pl.DataFrame, list[str]]:
    folder = tmp_path_factory.mktemp("held")
    (folder / "a.log").write_text(log())
    (folder / "my.toml").write_text(DEFINITION)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGBENCH_CACHE", str(folder / "cache"))
        protocol = {"train_ratio": 0.9, "held_out": 0.5, "alpha": 0.004, "split_seed": 3}
        (record,) = logbench.run(
            "markov", dataset=str(folder / "my.toml"), out=folder / "runs", save=folder / "saved",
            settings={"protocol": protocol},
        )  # fmt: skip
    assert record.error is None
    return Bundle(folder / "saved", Registry()), scores(record.as_dict(), folder / "runs"), list(record.notes)


def test_a_bundle_keeps_the_scores_of_held_out_units(saved: tuple[Bundle, pl.DataFrame, list[str]]) -> None:
    bundle, run, _ = saved
    held = bundle.held_out
    found = Counter(dict.fromkeys(held["score"], 0))
    for score, units in held.select("score", "units").iter_rows():
        found[score] += units
    assert found == Counter(run.filter(pl.col("part") == "held_out")["score"])
    failed = held.filter(pl.col("template").str.contains("failed"))
    expected = run.filter(
        (pl.col("part") == "held_out") & pl.col("unit").is_in([f"j{n}" for n in range(7, 360, 100)])
    )
    assert failed["units"].sum() == len(expected) > 0
    assert failed["score"].unique().to_list() == expected["score"].unique().to_list()


def test_a_day_of_the_log_has_so_many_units(saved: tuple[Bundle, pl.DataFrame, list[str]]) -> None:
    assert saved[0].facts["units_a_day"] == pytest.approx(240, rel=0.02)


def test_units_a_day_bear_one_wrong_clock_and_a_month_without_a_log() -> None:
    hours = np.arange(24 * 100) * 3600 * 10**6
    assert units_a_day(4800, hours) == pytest.approx(48, rel=0.01)
    wrong = np.append(hours, 10**18)
    assert units_a_day(4800, np.random.default_rng(1).permutation(wrong)) == pytest.approx(48, rel=0.02)
    away = np.concatenate([hours[:1200], hours[1200:] + 30 * 24 * 3600 * 10**6])
    assert units_a_day(4800, away) == pytest.approx(48, rel=0.02)
    assert units_a_day(5, None) is None
    assert units_a_day(5, np.zeros(9, dtype=np.int64)) is None


def test_failures_that_drive_the_threshold_are_told(saved: tuple[Bundle, pl.DataFrame, list[str]]) -> None:
    _, run, notes = saved
    count = len(
        run.filter((pl.col("part") == "held_out") & pl.col("unit").is_in([f"j{n}" for n in range(7, 360, 100)]))
    )
    said = [note for note in notes if "failures in the training" in note]
    assert len(said) == 1
    assert f"{count} held-out unit" in said[0] and "like: job failed" in said[0]


def test_failures_below_the_threshold_are_not_told() -> None:
    rows = {"score": [9.0, 5.0, 1.0], "units": [1, 3, 96], "weight": [1.0, 3.0, 96.0], "flagged": [False] * 3}
    held = pl.DataFrame({**rows, "template": ["a new host", "job failed <*>", "job done"]})
    assert failures_said(held, 9.0, 0.001) == ""
    assert "3 held-out units like: job failed <*>; without them 1 in place of 5" in failures_said(held, 5.0, 0.02)
    assert failures_said(held.with_columns(flagged=True), 5.0, 0.02) == ""


def test_units_that_try_again_are_not_taken_for_failures() -> None:
    held = pl.DataFrame({"score": [9.0, 1.0], "template": ["WARN retry job-<*> after <*> s", "job done"]})
    held = held.with_columns(units=pl.Series([4, 96]), weight=pl.Series([4.0, 96.0]), flagged=False)
    assert failures_said(held, 9.0, 0.01) == ""
    failed = held.with_columns(pl.col("template").str.replace("retry", "failed"))
    assert "WARN failed job-<*>" in failures_said(failed, 9.0, 0.01)
