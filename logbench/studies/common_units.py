"""Runs that drop short units, each below a limit of its own, measured on the units that all of them scored."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from pathlib import Path

import polars as pl

from ..api.record_sections import Record
from ..base.errors import DataError
from ..components.configured import configured
from ..components.registry import Registry
from ..evaluation.unit_metrics import metrics_of
from ..running import records
from ..running.stored import part
from .compare import labelled_test_scores
from .rescore import is_weighted


def dropping_apart(runs: Sequence[Record]) -> bool:
    """Whether the runs drop short units below different limits, so that their metrics are of different units."""
    limits = {run.get("counts", {}).get("short_limit") for run in runs if run["status"] == "ok"}
    return len(limits) > 1 and all(run["protocol"]["short"] == "drop" for run in runs)


def common_units(runs: Sequence[Record], folder: Path) -> pl.Series:
    """Index of each labelled test unit that every run scored, in order.

    Raises:
        DataError: there is none, or stored scores are gone.
    """
    found = (labelled_test_scores(run, folder)["index"] for run in runs)
    common = reduce(lambda kept, more: kept.filter(kept.is_in(more.implode())), found)
    if not len(common):
        raise DataError("the runs drop short units, and no unit was scored by all of them")
    return common


def measured_on(units: pl.Series, run: Record, folder: Path, registry: Registry) -> Record:
    """The run's record with the metrics of these units alone, by the evaluators that it had.

    Args:
        units: as from `common_units`.

    Raises:
        DataError: stored scores are gone. ConfigError: an evaluator is not installed.
    """
    chosen = part(run, "config", "evaluators")
    entries = {name: registry.get("evaluator", name) for name in chosen}
    built = {name: configured(entry, chosen[name]).build() for name, entry in entries.items()}
    kept = records.scores(run, folder).filter(pl.col("index").is_in(units.implode()))
    return {**run, "metrics": metrics_of(kept, built, run["dataset"]["unit"], is_weighted(run))}
