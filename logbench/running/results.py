"""What decisions and metrics write into a record: the same for a run and for one that is rescored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from ..api.protocol import EvaluationProtocol
from ..api.record import RunRecord
from ..base.errors import IncompatibleError
from ..evaluation.f1_upper_bound import bound_of
from ..evaluation.line_metrics import judge
from ..evaluation.metrics import EVENT as UNIT
from ..evaluation.metrics import directions_of
from ..evaluation.thresholds import ThresholdTraits
from ..evaluation.verdicts import RULES, Decision, metrics_of, rule
from ..pipeline.leak_audit import THRESHOLDS

if TYPE_CHECKING:
    from ..api.record import RunRecord


def add_events(
    record: RunRecord,
    frame: pl.DataFrame,
    protocol: EvaluationProtocol,
    evaluators: Mapping[str, Any],
    note: Callable[[str], None],
) -> None:
    """Put what `judge` says under `event` beside what is said of units; or say why there is nothing.

    Args:
        record: with `threshold` (`own` and `rule`) and `counts` (`short_limit`) as of units.
        evaluators: name → Evaluator; those that are not of units are left out.
    """
    of_units = {name: one for name, one in evaluators.items() if getattr(one, "of_units", False)}
    limit = record.counts["short_limit"]
    try:
        judged = judge(frame, protocol, ThresholdTraits.of(record.threshold), of_units, short_limit=limit)
    except IncompatibleError as error:
        note(f"no metrics of events: {error}")
        return
    record.metrics |= judged["metrics"]
    record.directions[UNIT] = record.directions.get(record.dataset["unit"], {})
    for name, metrics in judged["trivial"].items():
        record.trivial.setdefault(name, {}).update(metrics)
    record.threshold[UNIT] = judged["threshold"]
    record.counts[UNIT] = judged["counts"]


def write_threshold(record: RunRecord, decision: Decision, own: ThresholdTraits, needed: int | None) -> None:
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
