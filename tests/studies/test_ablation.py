"""What parts of a model add: estimates over units and seeds, and the command from the card to the table."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from scipy.stats import t

from logbench import ConfigError, Plan, Workbench
from logbench.evaluation.cells import METRICS
from logbench.studies.ablation import DRAWS, Estimate, ablate
from logbench.testing import Done

Run = Callable[..., Done]
F1 = METRICS["f1"]
BLOCKS = ("--dataset", "hdfs-sim", "--set", "dataset.blocks=800", "--set", "protocol.train_units=300")


def f1_of(rows: np.ndarray) -> float:
    tp, fp, _, fn = rows.sum(axis=0)
    return float(2 * tp / (2 * tp + fp + fn)) if tp else 0.0


def test_an_estimate_is_that_of_a_loop_over_draws_of_clusters_and_of_seeds() -> None:
    rng = np.random.default_rng(3)
    cells = np.eye(4)[rng.integers(0, 4, (3, 60))]  # of 3 seeds and 60 units
    clusters = [f"s{number}" for number in rng.integers(0, 20, 60)]
    found = Estimate.of(cells, pl.Series(clusters), F1, (0.0, 1.0))
    values = [f1_of(one) for one in cells]
    assert found.mean == pytest.approx(np.mean(values))
    names = sorted({*clusters})
    draws = []
    for _ in range(DRAWS):
        times = dict.fromkeys(names, 0)
        for name in rng.choice(names, len(names)):
            times[str(name)] += 1
        drawn = np.repeat(cells, [times[name] for name in clusters], axis=1)
        draws.append(np.mean([f1_of(one) for one in drawn]))
    seeds = t.ppf(0.975, 2) * np.std(values, ddof=1) / math.sqrt(3)
    low, high = np.quantile(draws, [0.025, 0.975])
    assert found.low == pytest.approx(found.mean - math.hypot(seeds, found.mean - low), abs=0.01)
    assert found.high == pytest.approx(found.mean + math.hypot(seeds, high - found.mean), abs=0.01)


def test_one_cluster_leaves_the_seeds_and_one_seed_the_clusters() -> None:
    cells = np.array([[[2, 1, 5, 1.0]], [[3, 1, 5, 0.0]]])
    found = Estimate.of(cells, pl.Series(["one"]), F1, (0.0, 2.0))
    half = t.ppf(0.975, 1) * np.std([f1_of(one) for one in cells], ddof=1) / math.sqrt(2)
    assert (found.high - found.mean, found.low) == (pytest.approx(half), 0.0)  # within the metric's range
    alone = Estimate.of(cells[:1], pl.Series(["one"]), F1, (0.0, 1.0))
    assert alone.low == alone.mean == alone.high and not alone.holds_zero


def test_an_ablation_is_compared_with_the_model_as_it_is(run_logbench: Run) -> None:
    done = run_logbench("models", "ablate", "pca", *BLOCKS, "--json")
    assert done.code == 0, done.err
    whole, part = map(json.loads, done.out.splitlines())
    assert (whole["part"], part["part"]) == ("as it is", "idf → counts") and "difference" not in whole
    assert len(whole["runs"]) == len(part["runs"]) == 1  # deterministic
    assert part["settings"] == {"pca": {"weighting": "counts"}}
    assert part["difference"] == pytest.approx(part["f1"] - whole["f1"])
    assert part["difference_low"] <= part["difference"] <= part["difference_high"]
    assert part["changes_nothing"] == (part["difference_low"] <= 0 <= part["difference_high"])


def test_a_part_that_does_nothing_changes_nothing(run_logbench: Run) -> None:
    """So little smoothing of a chain whose transitions are all known or unknown."""
    done = run_logbench("models", "ablate", "markov", *BLOCKS, "--set", "markov.smoothing=1e-6")
    assert "+0.000 ±.000  changes nothing" in done.out, done.out + done.err
    assert "smoothing → hardly any: markov.smoothing=1e-06" in done.out
    assert max(map(len, done.out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("model", "metric", "said"),
    [
        ("new-event+length", "f1", "new-event+length has no card"),
        ("length", "f1", "length has a card without ablations"),
        ("pca", "auroc", "metric auroc: intervals of differences are known of f1"),
    ],
)
def test_what_cannot_be_ablated_is_one_line(model: str, metric: str, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        next(ablate(Plan(model=model, dataset="hdfs-sim"), [0], metric, Workbench.here()))
