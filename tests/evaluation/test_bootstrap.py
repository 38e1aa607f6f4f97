"""The bootstrap of any metric against rows repeated one by one, and against the variance of a sum."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logbench.evaluation.bootstrap import paired

ROWS = st.tuples(st.integers(0, 1), st.booleans(), st.booleans(), st.integers(0, 6), st.sampled_from([1.0, 2.5]))


def cost(units: pl.DataFrame) -> float:
    """False alarms, and three for each miss."""
    wrong = units.filter(pl.col("verdict") != (pl.col("label") == 1))
    return float((wrong["weight"] * (1 + 2 * wrong["label"])).sum())


def frames(rows: list[tuple[int, bool, bool, int, float]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    names = ["label", "ours", "theirs", "cluster", "weight"]
    frame = pl.DataFrame(rows, schema=names, orient="row")
    return tuple(frame.select("label", "cluster", "weight", verdict=side) for side in ("ours", "theirs"))  # type: ignore[return-value]


@given(st.lists(ROWS, min_size=8, max_size=20), st.integers(0, 5))
@settings(deadline=None, max_examples=30)
def test_a_cluster_drawn_twice_is_there_twice(rows: list[tuple[int, bool, bool, int, float]], seed: int) -> None:
    ours, theirs = frames(rows)
    found = paired(ours, theirs, (cost, cost), resamples=20, seed=seed)
    assert found.value == pytest.approx(cost(theirs) - cost(ours))
    clusters = sorted({row[3] for row in rows})
    assert found.clusters == len(clusters)
    worth = []
    for label in (0, 1):
        heavy = [sum(row[4] for row in rows if row[3] == one and row[0] == label) for one in clusters]
        worth.append(sum(heavy) ** 2 / sum(each**2 for each in heavy) if sum(heavy) else 0.0)
    assert found.effective == pytest.approx(min(worth))
    if min(worth) < 2:
        assert found.low is None and "clusters of equal sequences are worth" in found.why_none
        return
    rng, differences = np.random.default_rng(seed), []
    for _ in range(20):
        drawn = [clusters[at] for at in rng.integers(len(clusters), size=len(clusters))]
        again = [pl.concat([side.filter(pl.col("cluster") == one) for one in drawn]) for side in (ours, theirs)]
        differences.append(cost(again[1]) - cost(again[0]))
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(differences, [0.025, 0.975])))


def test_the_interval_of_a_sum_is_about_as_wide_as_its_variance_says() -> None:
    rng = np.random.default_rng(1)
    rows = [(int(rng.random() < 0.4), bool(rng.random() < 0.5), bool(rng.random() < 0.7), at // 3, 1.0)
            for at in range(900)]  # fmt: skip
    ours, theirs = frames(rows)
    found = paired(ours, theirs, (cost, cost), resamples=2000, seed=0)
    price = np.zeros(300)
    for label, our, their, cluster, _ in rows:
        price[cluster] += (1 + 2 * label) * (int(their != (label == 1)) - int(our != (label == 1)))
    half = 1.96 * np.sqrt(300 * np.var(price))
    assert found.low is not None and found.high is not None
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.1)
    assert found.low == pytest.approx(found.value - half, abs=0.2 * half)


def test_runs_whose_distinct_units_are_not_the_same_rows_draw_the_same_sequences() -> None:
    ours, theirs = frames([(at % 2, True, False, at // 4, 1.0) for at in range(24)])
    fewer = theirs.unique(["cluster", "label"], maintain_order=True).with_columns(weight=pl.lit(2.0))
    whole = paired(ours, theirs, (cost, cost), resamples=50, seed=3)
    assert paired(ours, fewer, (cost, cost), resamples=50, seed=3) == whole


def test_a_metric_that_is_often_undefined_has_no_interval() -> None:
    ours, theirs = frames([(at % 2, at > 1, False, at // 2, 1.0) for at in range(16)])

    def seldom(units: pl.DataFrame) -> float | None:
        return 1.0 if len(units) == 16 and units["weight"].max() == 1 else None

    with pytest.raises(ValueError, match=r"undefined in .* of 40 resamples"):
        paired(ours, theirs, (seldom, seldom), resamples=40, seed=0)
    with pytest.raises(ValueError, match="it is undefined"):
        paired(ours, theirs, (lambda units: None, cost), resamples=40, seed=0)
