"""Which models of a leaderboard are not told apart, by what their runs stored."""

from __future__ import annotations

import os
import string
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import ceil
from pathlib import Path
from statistics import fmean
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ..api.protocol import REDRAWN
from ..api.record_sections import Record
from ..base.errors import DataError
from ..base.jsonable import several
from ..evaluation.cells import METRICS, cells, clustered, paired_cells
from ..evaluation.metrics import figure
from ..evaluation.paired_tests import of_pairs
from .common_units import dropping_apart
from .compare import aligned, incompatibilities, labelled_test_scores
from .many_models import corrected_t, holm

if TYPE_CHECKING:
    from ..evaluation.cells import Floats

LEVEL = 0.05
LETTERS = string.ascii_letters + string.digits
COLUMNS = ("index", "label", "verdict", "weight", "sequence")


@dataclass(frozen=True)
class Pairs:
    """Tests of each two models of a leaderboard.

    Attributes:
        models: of which something is known, in the order of the table.
        p: that two models are equally good, corrected by Holm for all pairs; both in the order of `models`.
        common: units that both models of a pair scored, of each pair whose models drop other short units.
    """

    models: tuple[str, ...]
    p: Mapping[tuple[str, str], float]
    common: Sequence[int] = ()

    def letters(self) -> dict[str, str]:
        """Letters of each model: two share one where they are not told apart, and no two that are told apart do.

        A compact letter display (Piepho, Journal of Computational and Graphical Statistics 13, 2004): a set with
        two models that differ becomes two, each without one of them; what another set holds goes.
        """
        found = [frozenset(self.models)] if self.models else []
        for pair in (pair for pair, p in self.p.items() if p <= LEVEL):
            parts = [part for one in found for part in _parted(one, pair)]
            found = [one for one in dict.fromkeys(parts) if not any(one < other for other in parts)]
        sets = sorted(sorted(self.models.index(name) for name in one) for one in found)
        if len(sets) > len(LETTERS):
            return {}
        return {
            name: "".join(letter for letter, one in zip(LETTERS, sets, strict=False) if at in one)
            for at, name in enumerate(self.models)
        }

    def said(self) -> str:
        """What the letters mean, in a line for the user; empty where nothing is known."""
        if not self.p:
            return ""
        pairs = several(len(self.p), "pair")
        tests = f"p > {LEVEL:g} by swapped verdicts of first seeds, or over splits, Holm's correction for {pairs}"
        line = f"tied: models that share a letter are not told apart from each other ({tests})"
        if not self.common:
            return line
        span = " to ".join(dict.fromkeys(f"{of(self.common):,}" for of in (min, max)))
        return f"{line}; models that drop other short units on those that both scored ({span})"


def _parted(models: frozenset[str], pair: tuple[str, str]) -> list[frozenset[str]]:
    return [models - {name} for name in pair] if models.issuperset(pair) else [models]


def all_pairs(records: Sequence[Record], metric: str, folder: Path, swaps: int = 10_000) -> Pairs:
    """Test each two models; of those of which nothing can be said there is none.

    Over splits that draw what trains it is the corrected resampled t of differences of their means over seeds;
    on one split verdicts are swapped on whole sequences, those of each model's first seed. Where short units are
    dropped, that is on the units that both scored.

    Args:
        records: runs of one data set and protocol, those of the best model first. folder: where their scores are.
        swaps: at least so many; more where there are many pairs, as p is never below 1 / (1 + swaps), and Holm's
            correction multiplies it by the number of pairs.
    """
    runs: dict[str, list[Record]] = {}
    for record in records:
        if record["status"] == "ok" and record["metrics"]:
            runs.setdefault(record["model"], []).append(record)
    stored = _Stored(folder)
    p, common = dict[tuple[str, str], float](), list[int]()
    pairs = list(combinations(runs, 2))
    swaps = max(swaps, ceil(2 * len(pairs) / LEVEL))

    def tested(pair: tuple[str, str]) -> tuple[float | None, list[int]]:
        one, other = (runs[name] for name in pair)
        over_splits = _over_splits(one, other, metric)
        if over_splits is None and metric in METRICS and not incompatibilities(one[0], other[0]):
            for clusters, kept in stored.of_pair(one[0], other[0]):
                return of_pairs(clusters, metric, swaps, 0), kept
        return over_splits, []

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # numpy draws without the lock of the interpreter
        for pair, (value, kept) in zip(pairs, pool.map(tested, pairs), strict=True):
            common += kept
            if value is not None:
                p[pair] = value
    named = {name for pair in p for name in pair}
    corrected = dict(zip(p, holm(list(p.values())), strict=True))
    return Pairs(tuple(name for name in runs if name in named), corrected, common)


@dataclass(frozen=True)
class _Verdicts:
    """Verdicts of one run, see `COLUMNS`."""

    frame: pl.DataFrame

    @cached_property
    def clusters(self) -> Floats:
        """Cells of each sequence, [clusters, 4]: summed once, however many other runs these are compared with."""
        return clustered(cells(self.frame), self.frame["sequence"])


class _Stored:
    """Stored verdicts, each read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, _Verdicts | None] = {}
        self._lock = Lock()

    def of_pair(self, first: Record, other: Record) -> Iterator[tuple[Floats, list[int]]]:
        """Cells of each sequence by both runs, [clusters, 8], and the number of units where both drop others.

        Nothing where their units are gone, or not the same.
        """
        ours, theirs = self._of(first), self._of(other)
        if ours is None or theirs is None:
            return
        kept = []
        if dropping_apart((first, other)):
            a, b = ours.frame, theirs.frame
            ours, theirs = (_Verdicts(one.join(two, on="index", how="semi")) for one, two in ((a, b), (b, a)))
            if not len(ours.frame):
                return
            kept = [len(ours.frame)]
        try:
            pair = aligned(first, other, ours.frame, theirs.frame)
        except DataError:  # of other units
            return
        if pair[0] is ours.frame and pair[0]["sequence"].equals(pair[1]["sequence"]):
            yield np.hstack([ours.clusters, theirs.clusters]), kept
        else:
            yield paired_cells(*pair), kept

    def _of(self, run: Record) -> _Verdicts | None:
        name = run["run_id"]
        with self._lock:  # pairs are tested side by side, and share runs
            if name not in self._read:
                try:
                    stored = labelled_test_scores(run, self._folder, ("part", *COLUMNS))
                    self._read[name] = _Verdicts(stored.select(COLUMNS))
                except DataError:  # scores that are gone
                    self._read[name] = None
            return self._read[name]


def _over_splits(one: Sequence[Record], other: Sequence[Record], metric: str) -> float | None:
    """p over splits; None where the splits are not several, or do not draw what trains."""
    splits = [_by_split(runs, metric) for runs in (one, other)]
    common = [split for split in splits[0] if split in splits[1]]
    if len(common) < 2 or one[0]["protocol"]["train"] not in REDRAWN:
        return None
    facts = [run["split"] for run in one]
    share = fmean(each["test"] / (each["train"] + each["held_out"]) for each in facts)
    return float(corrected_t([splits[1][split] - splits[0][split] for split in common], share)["p"])


def _by_split(runs: Sequence[Record], metric: str) -> dict[int, float]:
    values: dict[int, list[float]] = {}
    for run in runs:
        if (value := figure(run, metric)) is not None:
            values.setdefault(run["protocol"]["split_seed"], []).append(value)
    return {split: fmean(of) for split, of in values.items()}
