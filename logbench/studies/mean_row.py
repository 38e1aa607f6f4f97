"""One row of a table of a study: a metric over runs that differ in seed or split alone."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from ..api.components import Direction
from ..api.record_sections import Record
from ..evaluation.metrics import direction, figures, named, pick
from ..evaluation.run_intervals import runs_interval


def mean_row(runs: Sequence[Record], metric: str) -> dict[str, Any]:
    """A metric's mean over runs that differ in seed or split alone, beside the best rule without a model.

    Returns:
        `runs` (ids), `value`, `low` and `high` (95% interval, None of one run), `rule` (name) and `rule_value`,
        `under` (the model is worse), `way` (higher or lower is better); or `runs` and `skipped`, why not.
    """
    row: dict[str, Any] = {"runs": [run["run_id"] for run in runs]}
    for run in runs:
        if (error := run["error"]) is not None:
            return {**row, "skipped": error["message"]}
        if not run["metrics"]:
            return {**row, "skipped": "the data have no labels"}
    way = direction(runs[0], metric)
    values = [pick(figures(run), metric, run["run_id"]) for run in runs]
    known = [value for value in values if value is not None]
    if len(known) < len(runs):
        return {**row, "skipped": f"{metric} is undefined"}
    low, high = runs_interval(metric, runs, known) or (None, None)
    name, rule = _best_rule(runs, metric, way)
    mean = fmean(known)
    under = rule is not None and (mean < rule if way == "higher" else mean > rule)
    measured = {"value": mean, "low": low, "high": high, "rule": name, "rule_value": rule, "under": under}
    return {**row, **measured, "way": way}


def _best_rule(runs: Sequence[Record], metric: str, way: Direction) -> tuple[str | None, float | None]:
    """Name and mean of the rule that is best without a model; None where no rule has the metric."""
    unit, duplicates = runs[0]["dataset"]["unit"], runs[0]["protocol"]["duplicates"]
    means = {}
    for rule in runs[0]["trivial"]:
        values = [named(run["trivial"][rule], unit, duplicates).get(metric) for run in runs]
        known = [value for value in values if value is not None]
        if len(known) == len(runs):
            means[rule] = fmean(known)
    if not means:
        return None, None
    best = (max if way == "higher" else min)(means, key=means.__getitem__)
    return best, means[best]
