"""Which units are shown or explained, and what is counted of all, against plain loops over rows."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
import pytest

from logbench.data.scores import spread
from logbench.evaluation.unit_counts import counts_of
from logbench.running.explain import among_top
from logbench.running.shown_events import UNITS, shown_units
from logbench_evaluators.steps import steps

INFINITE = float("inf")


def units(seed: int, size: int = 60) -> pl.DataFrame:
    """Units with many ties, some dropped, in both parts."""
    rng = np.random.default_rng(seed)
    scores = rng.choice([0.0, -0.0, 1.0, 2.0, 2.5, INFINITE, -INFINITE], size)
    dropped = rng.random(size) < 0.2
    frame = pl.DataFrame(
        {
            "part": rng.choice(["held_out", "test"], size, p=[0.2, 0.8]),
            "index": rng.permutation(size),
            "label": pl.Series(rng.choice([-1, 0, 1], size), dtype=pl.Int8),
            "score": pl.Series([None if out else float(s) for s, out in zip(scores, dropped, strict=True)]),
            "sequence": pl.Series(rng.integers(0, 12, size), dtype=pl.UInt32),
            "short": rng.random(size) < 0.3,
            "unseen": rng.integers(0, 2, size),
            "repeats": rng.random(size) < 0.5,
            "count": rng.integers(1, 5, size),
        }
    )
    return frame.with_columns(verdict=pl.col("score") > 1.0)


@pytest.mark.parametrize("seed", range(20))
def test_the_units_of_the_highest_scores_are_the_first_of_equal_ones(seed: int) -> None:
    frame, number = units(seed), seed + 1
    scored = [at for at, score in enumerate(frame["score"]) if score is not None]
    top = sorted(scored, key=lambda at: (-frame["score"][at], at))[:number]
    assert frame.select(among_top(number)).to_series().to_list() == [at in top for at in range(len(frame))]
    assert not frame.filter(pl.col("score").is_null()).select(among_top(number).any()).item()


@pytest.mark.parametrize("seed", range(20))
def test_of_each_kind_the_highest_units_of_distinct_sequences_are_shown(seed: int) -> None:
    frame = units(seed)
    rows = [row for row in frame.rows(named=True) if row["part"] == "test" and row["score"] is not None]
    rows.sort(key=lambda row: (row["short"], -row["score"]))

    def first(verdict: bool, label: int) -> list[int]:
        found: dict[int, int] = {}
        for row in rows:
            if (row["verdict"], row["label"]) == (verdict, label):
                found.setdefault(row["sequence"], row["index"])
        return [*found.values()][:UNITS]

    assert shown_units(frame).tolist() == first(True, 0) + first(False, 1) + first(True, 1) + first(True, -1)


@pytest.mark.parametrize("weights", [[1.0], [1.0, 3.0, 1e6], [0.1, 1 / 3, 7.7]])
def test_each_step_of_a_ranking_weighs_its_units(weights: list[float]) -> None:
    frame = units(4, 400).filter(pl.col("score").is_not_null())
    frame = frame.with_columns(weight=pl.Series(np.random.default_rng(5).choice(weights, len(frame))))
    wanted: dict[float, list[Fraction]] = {}
    for row in frame.rows(named=True):
        step = wanted.setdefault(row["score"], [Fraction(0)] * 3)
        for at, counts in enumerate((True, row["label"] == 1, row["label"] == 0)):
            step[at] += Fraction(row["weight"]) * counts
    found = steps(frame)
    assert found.columns == ["units", "anomalies", "normal"]
    expected = [[float(value) for value in wanted[score]] for score in sorted(wanted, reverse=True)]
    np.testing.assert_allclose(found.to_numpy(), expected, rtol=1e-12 if weights[0] < 1 else 0)
    assert steps(frame.clear()).height == 0


@pytest.mark.parametrize("several", [False, True])
def test_units_of_each_kind_are_counted_and_a_row_may_stand_for_several(several: bool) -> None:
    frame = units(6, 200) if several else units(6, 200).drop("count")
    rows = frame.rows(named=True)

    def number(kind: Any) -> int:
        return sum(row.get("count", 1) for row in rows if kind(row))

    assert counts_of(frame) == {
        "labelled": number(lambda row: row["label"] >= 0),
        "scored": number(lambda row: row["label"] >= 0 and row["score"] is not None),
        "excluded": {
            "normal": number(lambda row: row["label"] == 0 and row["score"] is None),
            "anomaly": number(lambda row: row["label"] == 1 and row["score"] is None),
        },
        "short": number(lambda row: row["short"]),
        "unseen": number(lambda row: row["unseen"] > 0),
        "repeats": number(lambda row: row["repeats"]),
        "unlabelled": number(lambda row: row["label"] < 0),
    }
    assert counts_of(frame.clear())["labelled"] == 0


def test_values_are_spread_over_rows_and_others_are_null() -> None:
    where = np.array([4, 0, 2])
    assert spread(np.array([1, 2, 3]), where, 6, pl.Int64).to_list() == [2, None, 3, None, 1, None]
    assert spread(np.array([True, False, True]), np.arange(3), 3, pl.Float64).to_list() == [1.0, 0.0, 1.0]
    assert spread(None, where, 2, pl.Int32).to_list() == [None, None]
    assert spread(np.array([], dtype=np.int32), where[:0], 0, pl.Int64).dtype == pl.Int64
