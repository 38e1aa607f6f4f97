"""How often 95% intervals hold: samples of the distinct sequences of real data, drawn with their multiplicities.

`tox -e coverage-of-intervals -- FOLDER [REPETITIONS [SEED]]`, the folder that of the DeepLog archive, prints the
table of docs/how-to/compare-models.md and fails where a goal is missed. The truth is the metric of the population
that is drawn from; verdicts are those of rules on the real sequences, and random ones.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import populations
from tabulate import tabulate

from logbench.evaluation import intervals, paired_tests
from logbench.evaluation.cells import METRICS

SIZES = (500, 2000, 5000)
GOAL = {500: 0.92, 2000: 0.94, 5000: 0.94}
LEVEL, TYPE_ONE = 0.05, 0.06
# Recall, share of normal sequences that alarm, seed.
RANDOM = {"random .8": (0.8, 0.05, 1), "random .95": (0.95, 0.01, 2), "random .6": (0.6, 0.1, 3)}


@dataclass
class Tally:
    """What intervals of one kind did: one list entry an interval that was given."""

    none: int = 0
    held: list[bool] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)

    def add(self, found: intervals.Interval, truth: float) -> None:
        if found.low is None or found.high is None:
            self.none += 1
            return
        self.held.append(found.low <= truth <= found.high)
        self.widths.append(found.high - found.low)

    @property
    def coverage(self) -> float:
        return sum(self.held) / len(self.held) if self.held else 1.0

    @property
    def share_none(self) -> float:
        return self.none / (self.none + len(self.held))


def single(population: Any, size: int, repetitions: int, seed: int) -> dict[str, Tally]:
    """Intervals of each metric."""
    tallies = {metric: Tally() for metric in METRICS}
    for sample in populations.samples(population, size, repetitions, seed):
        for metric, tally in tallies.items():
            tally.add(intervals.of_clusters(sample, metric), float(METRICS[metric](population.sum(axis=0))))
    return tallies


def paired(population: Any, size: int, repetitions: int, seed: int) -> dict[str, Tally]:
    """Intervals of the difference of each metric."""
    tallies, totals = {metric: Tally() for metric in METRICS}, population.sum(axis=0)
    for sample in populations.samples(population, size, repetitions, seed):
        for metric, tally in tallies.items():
            truth = float(METRICS[metric](totals[4:]) - METRICS[metric](totals[:4]))
            tally.add(intervals.of_pairs(sample, metric), truth)
    return tallies


def rejections(population: Any, size: int, repetitions: int, seed: int, swaps: int = 400) -> dict[str, float]:
    """Share of samples in which `pairs.swapped` finds a difference, for each metric."""
    found = dict.fromkeys(METRICS, 0)
    for at, sample in enumerate(populations.samples(population, size, repetitions, seed)):
        for metric in METRICS:
            found[metric] += paired_tests.of_pairs(sample, metric, swaps, at) <= LEVEL
    return {metric: count / repetitions for metric, count in found.items()}


def runs_of(folder: Path) -> dict[str, Any]:
    """Verdicts → cells of each sequence of the archive."""
    verdicts, normal, anomalous = populations.archive(folder)
    drawn = {name: populations.random_verdicts(anomalous, *how) for name, how in RANDOM.items()}
    return {name: populations.cells_of(normal, anomalous, alarm) for name, alarm in {**verdicts, **drawn}.items()}


def rows(runs: Mapping[str, Any], repetitions: int, seed: int) -> Iterator[dict[str, Any]]:
    """One row a size and metric: the worst over verdicts, and over pairs of them."""
    several = list(itertools.combinations(runs, 2))
    few = max(50, repetitions // 5)
    for size in SIZES:
        alone = [single(cells, size, repetitions, seed) for cells in runs.values()]
        both = [paired(np.hstack([runs[a], runs[b]]), size, few, seed) for a, b in several]
        null = [rejections(populations.exchangeable(runs[a], runs[b]), size, few, seed) for a, b in several[::4]]
        for metric in METRICS:
            mine, theirs = [one[metric] for one in alone], [one[metric] for one in both]
            yield {
                "clusters": size,
                "metric": metric,
                "coverage, worst": min(tally.coverage for tally in mine),
                "mean": sum(tally.coverage for tally in mine) / len(mine),
                "width": median(width for tally in mine for width in tally.widths),
                "none": sum(tally.share_none for tally in mine) / len(mine),
                "difference, worst": min(tally.coverage for tally in theirs),
                "p ≤ .05 of equals": sum(one[metric] for one in null) / len(null),
            }


def main(folder: str, repetitions: int = 1000, seed: int = 0) -> int:
    found = list(rows(runs_of(Path(folder)), repetitions, seed))
    shown = [{k: f"{v:.3f}" if isinstance(v, float) else v for k, v in row.items()} for row in found]
    print(f"{repetitions} samples a cell ({max(50, repetitions // 5)} of pairs), seed {seed}\n")
    print(tabulate(shown, headers="keys", tablefmt="github", disable_numparse=True))
    missed = [
        row
        for row in found
        if min(row["coverage, worst"], row["difference, worst"]) < GOAL[row["clusters"]]
        or row["p ≤ .05 of equals"] > TYPE_ONE
    ]
    for row in missed:
        print(f"goal missed: {row}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *map(int, sys.argv[2:])))
