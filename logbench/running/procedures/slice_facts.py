"""What a record says of one slice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from ...data.per_unit import events_of_units
from ...evaluation.unit_metrics import metrics_of
from ...evaluation.verdicts import Decision

if TYPE_CHECKING:
    from ...api.record_stream import DriftFacts, SliceFacts, StreamFacts
    from ..prepared import Prepared


def facts_of_slice(now: Prepared, decision: Decision, drift: DriftFacts, learned: int) -> SliceFacts:
    """Facts of a slice, but for feedback and metrics.

    Args:
        now: the data as they were known; the slice is the test. learned: units that were learned from before.
    """
    units, sessions, grouped = now.split.test, now.sessions, now.grouped
    events, _ = events_of_units(sessions.offsets, units)
    lines = None if grouped.sequences else grouped.lines[events]
    threshold = decision.threshold
    return {
        "units": len(units),
        "events": len(events),
        "anomalies": int((now.labels[units] == 1).sum()),
        "first_line": None if lines is None or not len(lines) else int(lines.min()),
        "last_line": None if lines is None or not len(lines) else int(lines.max()),
        "last_time": None if sessions.times is None or not len(events) else int(sessions.times[events].max()),
        "keys": sessions.vocabulary,
        "unseen": int((sessions.unseen[units] > 0).sum()),
        "drift": drift,
        "trained_on": learned,
        "threshold": threshold["value"],
        "exact": threshold["exact"],
        "alarms": int(decision.units["verdict"].fill_null(False).sum()),
    }


def with_metrics(
    stream: StreamFacts, units: pl.DataFrame, evaluators: Mapping[str, Any], unit: str, weighted: bool
) -> StreamFacts:
    """The facts with the metrics of each slice.

    Args:
        units: decided test units, with `slice` (Int32, from 1). evaluators, unit, weighted: see
            `unit_metrics.metrics_of`.
    """
    slices: list[SliceFacts] = []
    for number, facts in enumerate(stream["slices"], 1):
        found = metrics_of(units.filter(pl.col("slice") == number), evaluators, unit, weighted)
        slices.append({**facts, "metrics": {name: of["all"] for name, of in found.items()}})
    return {**stream, "slices": slices}
