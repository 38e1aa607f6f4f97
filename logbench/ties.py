"""Which models of a leaderboard are not told apart from the best, by what their runs stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from .cells import METRICS
from .commonunits import common_units, dropping_apart
from .compare import both, unlike
from .errors import DataError
from .many_models import corrected_t, holm
from .metrics import figure
from .pairs import swapped

Record = Mapping[str, Any]
REDRAWN = ("random", "random_ratio", "group")
"""Kinds of split whose seed draws which units train."""


def against_first(records: Sequence[Record], metric: str, folder: Path, swaps: int = 10_000) -> dict[str, float]:
    """p that a model is as good as the first, corrected by Holm; models of which it cannot be said are not in it.

    Over splits that draw what trains it is the corrected resampled t of differences of their means over seeds;
    on one split verdicts are swapped on whole sequences, those of each model's first seed. Where short units are
    dropped, that is on the units that both scored.

    Args:
        records: runs of one data set and protocol, those of the best model first. folder: where their scores are.
    """
    runs: dict[str, list[Record]] = {}
    for record in records:
        if record["status"] == "ok" and record["metrics"]:
            runs.setdefault(record["model"], []).append(record)
    if len(runs) < 2:
        return {}
    best, *others = runs
    found = {other: _p(runs[best], runs[other], metric, folder, swaps) for other in others}
    known = {name: p for name, p in found.items() if p is not None}
    return dict(zip(known, holm(list(known.values())), strict=True))


def _p(best: Sequence[Record], other: Sequence[Record], metric: str, folder: Path, swaps: int) -> float | None:
    splits = [_by_split(runs, metric) for runs in (best, other)]
    common = [split for split in splits[0] if split in splits[1]]
    if len(common) > 1 and best[0]["protocol"]["train"] in REDRAWN:
        facts = [run["split"] for run in best]
        share = fmean(one["test"] / (one["train"] + one["held_out"]) for one in facts)
        return float(corrected_t([splits[1][split] - splits[0][split] for split in common], share)["p"])
    if metric not in METRICS or unlike(best[0], other[0]):
        return None
    try:
        pair = (best[0], other[0])
        ours, theirs = both(*pair, folder, common_units(pair, folder) if dropping_apart(pair) else None)
    except DataError:  # scores that are gone, or of other units
        return None
    return swapped(ours, theirs, metric, swaps=swaps, seed=0)


def _by_split(runs: Sequence[Record], metric: str) -> dict[int, float]:
    values: dict[int, list[float]] = {}
    for run in runs:
        if (value := figure(run, metric)) is not None:
            values.setdefault(run["protocol"]["split_seed"], []).append(value)
    return {split: fmean(of) for split, of in values.items()}


def said(p: Mapping[str, float], best: str, level: float = 0.05) -> str:
    """One line for the user; empty where nothing is known."""
    if not p:
        return ""
    tied = [f"{name} (p {value:.2g})" for name, value in p.items() if value > level]
    if not tied:
        return f"all models with stored scores are told apart from {best}, the best (Holm's p ≤ {level:g})"
    how = "p by swapped verdicts or over splits, Holm's correction"
    return f"not told apart from {best}, the best: {', '.join(tied)}; {how}"
