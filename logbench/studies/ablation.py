"""What the parts of a model add: the model as it is and with each part switched off, under one protocol."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..api.plan import Plan
from ..api.record_sections import Record
from ..base.errors import ConfigError, DataError
from ..components.model_cards import Ablation, ablated, card_of
from ..evaluation.cells import METRICS, cells, clustered
from ..evaluation.run_intervals import limits
from .compare import aligned, headline_units, labelled_test_scores
from .leaderboard import Leaderboard
from .workbench import Workbench

if TYPE_CHECKING:
    from ..evaluation.cells import Cells, Floats

# Draws of the bootstrap.
DRAWS = 2000
# The name of the row without any ablation.
WHOLE = "as it is"


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds with its 95% interval."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(
        cls, cells: Cells, clusters: pl.Series, measure: Callable[[Cells], Floats], most: tuple[float, float]
    ) -> Estimate:
        """The mean over seeds of what follows from cells.

        Both units and seeds vary. So the distance of a percentile of a bootstrap by clusters, whose draws count
        for all seeds because these judge the same units, and the half-width of Student's t over seeds are added
        as squares.

        Args:
            cells: of each seed and unit, [seeds, units, n]. clusters: of each unit, such as its key sequence.
            measure: cells [..., seeds, n] → a value for each seed, [..., seeds]. most: its least and greatest.
        """
        seeds, units, columns = cells.shape
        flat = clustered(cells.transpose(1, 0, 2).reshape(units, seeds * columns), clusters)
        times = np.random.default_rng(0).multinomial(len(flat), np.full(len(flat), 1 / len(flat)), DRAWS)
        values = measure(cells.sum(axis=1))
        drawn = measure((times @ flat).reshape(DRAWS, seeds, columns)).mean(axis=1)
        mean, spread = float(values.mean()), _half_width(values)
        low, high = (math.hypot(spread, mean - end) for end in np.quantile(drawn, [0.025, 0.975]))
        return cls(mean, max(mean - low, most[0]), min(mean + high, most[1]))

    @property
    def holds_zero(self) -> bool:
        """Whether the interval includes 0."""
        return self.low <= 0 <= self.high


def _half_width(values: Floats) -> float:
    from scipy.stats import t

    count = len(values)
    return float(t.ppf(0.975, count - 1) * values.std(ddof=1) / math.sqrt(count)) if count > 1 else 0.0


def ablate(plan: Plan, seeds: Sequence[int], metric: str, bench: Workbench) -> Iterator[dict[str, Any]]:
    """A row for the model as it is, then one for each ablation of its card.

    Args:
        plan: the model as it is. seeds: of a stochastic model; another runs with the first alone.
        metric: one of `METRICS`. bench: does the runs.

    Yields:
        `part`, `settings` (of the ablation), `runs` (ids, one a seed), `value` (`Estimate` of the metric) and
        `difference` (`Estimate` of the metric less that of the model as it is, by seed and unit; None in the first
        row); or `skipped`, why a run gave nothing.

    Raises:
        ConfigError: the model has no card, or no ablation on it; an unknown metric or setting.
        DataError: the data are not there, the model as it is gave nothing, or an ablation tests other units.
    """
    if metric not in METRICS:
        raise ConfigError(f"--metric {metric}: intervals of differences are known of {', '.join(METRICS)}")
    item = bench.registry.get("model", plan.model).item
    card = card_of(item)
    if card is None or not card.ablations:
        raise ConfigError(f"{plan.model} has {'no card' if card is None else 'a card without ablations'}")
    parts: Mapping[str, Ablation] = {WHOLE: {}, **card.ablations}
    seeds = list(seeds) if item.traits.stochastic else list(seeds)[:1]
    plans = [replace(ablated(plan, part), seed=seed) for part in parts.values() for seed in seeds]
    records = dict(Leaderboard(plans, bench).results())
    groups = {
        part: [records[at * len(seeds) + number] for number in range(len(seeds))] for at, part in enumerate(parts)
    }
    if why := _failed(groups[WHOLE]):
        raise DataError(f"{plan.model} {WHOLE} gave nothing: {why}")
    for part, runs in groups.items():
        row = {"part": part, "settings": parts[part], "runs": [run["run_id"] for run in runs]}
        if why := _failed(runs):
            yield {**row, "skipped": why}
        else:
            yield {**row, **_measured(groups[WHOLE], runs, plan.out, metric, part == WHOLE)}


def _failed(runs: Sequence[Record]) -> str:
    """Why a run gave no metrics; empty where each did."""
    for run in runs:
        if (error := run["error"]) is not None:
            return error["message"]
        if not run["metrics"]:
            return "its data have no labels"
    return ""


def _measured(
    whole: Sequence[Record], runs: Sequence[Record], folder: Path, metric: str, first: bool
) -> dict[str, Any]:
    score, (least, greatest) = METRICS[metric], limits(metric)
    own = [headline_units(run, folder) for run in runs]
    value = Estimate.of(np.stack([cells(one) for one in own]), own[0]["sequence"], score, (least, greatest))
    if first:
        return {"value": value, "difference": None}
    pairs = [_paired(full, run, folder) for full, run in zip(whole, runs, strict=True)]
    both = np.stack([np.hstack([cells(ours), cells(theirs)]) for ours, theirs in pairs])

    def differences(found: Cells) -> Floats:
        return score(found[..., 4:]) - score(found[..., :4])

    span = greatest - least
    return {
        "value": value,
        "difference": Estimate.of(both, pairs[0][0]["sequence"], differences, (-span, span)),
    }


def _paired(full: Record, other: Record, folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The units that both runs judged, in the same order.

    An ablation may change the protocol, so that unlike in `compare` nothing but the units must be the same.
    """
    ours, theirs = (labelled_test_scores(run, folder) for run in (full, other))
    ours, theirs = (a.join(b, on="index", how="semi") for a, b in ((ours, theirs), (theirs, ours)))
    if not len(ours) or not ours["label"].equals(theirs["label"]):
        raise DataError(f"{full['run_id']} and {other['run_id']} tested other units, so they cannot be paired")
    return aligned(full, other, ours, theirs)
