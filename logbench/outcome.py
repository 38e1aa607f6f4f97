"""What decisions and metrics write into a record: the same for a run and for one that is rescored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from .audit import THRESHOLDS
from .bounds import bound_of
from .metrics import directions_of
from .record import RunRecord
from .thresholds import Own
from .verdicts import RULES, Decision, metrics_of, rule


def write_threshold(record: RunRecord, decision: Decision, own: Own, needed: int | None) -> None:
    """Threshold, what it was chosen on, and counts.

    Args:
        needed: events of the shortest unit that the model can score; None where it is not known.
    """
    record.threshold = {**decision.threshold, **own.as_dict()}
    record.audit["threshold"] = THRESHOLDS[decision.threshold["source"]]
    record.counts = {**decision.counts, "needed": needed}


def write_metrics(record: RunRecord, units: pl.DataFrame, evaluators: Mapping[str, Any], weighted: bool) -> None:
    """Metrics of the units that `verdicts.metrics_of` describes, their directions, the rules' and the bound."""
    unit = record.dataset["unit"]
    record.metrics = metrics_of(units, evaluators, unit, weighted)
    record.directions = directions_of(evaluators, unit)
    record.bound = bound_of(units)
    names = RULES if record.metrics else ()
    record.trivial = {name: metrics_of(rule(units, name), evaluators, unit, weighted) for name in names}
