"""Single events judged, where lines carry labels: how much weight of events has which score and label.

Metrics of events only need these sums, so there is no row for each event: `frame` has one row for each
combination that occurs of the columns `part`, `label` (Int8), `unseen` (0 or 1), `events` (of the unit, capped
where no unit is short any more) and `raw` (the model's score, null in short units), with `weight` and `count`.
A line of several units is one event, judged by the highest score that it has in any of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypedDict, cast

import numpy as np
import polars as pl

from ..api.protocol import EvaluationProtocol
from ..api.record_sections import DecidedThreshold, EventsDecided, Metrics, RuleMetrics
from ..base.errors import IncompatibleError
from ..data.distinct import blocks
from ..data.per_unit import events_of_units
from .metrics import EVENT as UNIT
from .rule_baselines import RULES, rule
from .threshold_traits import ThresholdTraits
from .unit_metrics import metrics_of
from .verdicts import decide

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..data.sessions import Sessions


class JudgedEvents(TypedDict):
    """Sections of a record, as far as they are of single events."""

    metrics: Metrics
    trivial: RuleMetrics
    threshold: DecidedThreshold
    counts: EventsDecided


# Events looked at together.
CHUNK = 1 << 20
SAME = ("label", "unseen", "events", "raw")


def has_labels(sessions: Sessions) -> bool:
    """Whether events can be judged."""
    return (
        sessions.line_labels is not None and sessions.lines is not None and bool((sessions.line_labels >= 0).any())
    )


def event_frame(
    sessions: Sessions, parts: Mapping[str, NDArray[np.int64]], scores: NDArray[np.float64], least: int
) -> pl.DataFrame:
    """Sums of weight by score and label.

    Args:
        sessions: all units, with `lines` and `line_labels`.
        parts: units by `held_out` and `test`, int64 each.
        scores: float64, of each event of their units that have `least` events or more, in that order.
        least: events below which a unit is short.
    """
    found, begin, shared = [], 0, _shared(sessions)
    for part, units in parts.items():
        end = begin + int(sessions.lengths[units[sessions.lengths[units] >= least]].sum())
        pieces = _pieces(sessions, units, scores[begin:end], least)
        found += [_summed(one).with_columns(part=pl.lit(part)) for one in (_by_line(pieces) if shared else pieces)]
        begin = end
    return _summed(pl.concat(found), "part")


def _shared(sessions: Sessions) -> bool:
    """Whether a line is of several units."""
    assert sessions.lines is not None
    met = np.zeros(int(sessions.lines.max()) + 1, dtype=bool)
    met[sessions.lines] = True
    return int(np.count_nonzero(met)) < len(sessions.lines)


def _by_line(pieces: Iterator[pl.DataFrame]) -> list[pl.DataFrame]:
    """One row a line: its highest score and weight, and the longest of its units."""
    best = (pl.col("raw", "events", "weight").max(), pl.col("label", "unseen", "count").first())
    return [pl.concat(pieces).group_by("line").agg(*best)]


def _pieces(
    sessions: Sessions, units: NDArray[np.int64], scores: NDArray[np.float64], least: int
) -> Iterator[pl.DataFrame]:
    """Events of the units, one row each, in bounded frames."""
    lengths = sessions.lengths[units]
    done = 0
    assert sessions.lines is not None and sessions.line_labels is not None
    for part, _ in blocks(np.concatenate([[0], np.cumsum(lengths)]), CHUNK):
        some, size = units[part], lengths[part]
        at, _ = events_of_units(sessions.offsets, some)
        scored = np.repeat(size >= least, size)
        raw = np.full(len(at), np.nan)
        raw[scored] = scores[done : done + int(scored.sum())]
        done += int(scored.sum())
        yield pl.DataFrame(
            {
                "line": sessions.lines[at],
                "label": sessions.line_labels[at],
                "unseen": (sessions.keys[at] >= sessions.vocabulary).astype(np.int8),
                "events": np.repeat(np.minimum(size, least), size),
                "raw": raw,
                "weight": np.repeat(sessions.weights[some], size),
            }
        ).with_columns(pl.col("raw").fill_nan(None), count=pl.lit(1, pl.Int64))


def _summed(frame: pl.DataFrame, *others: str) -> pl.DataFrame:
    return frame.group_by(*SAME, *others).agg(pl.col("weight", "count").sum())


def as_units(events: pl.DataFrame) -> pl.DataFrame:
    """Rows of events as evaluators see units: of one event each, which is the first anomalous one or none is."""
    return events.with_columns(
        events=pl.lit(1, pl.Int64),
        sequence=pl.lit(0, pl.UInt32),
        first_anomalous=pl.when(pl.col("label") == 1).then(pl.lit(0, pl.Int64)),
    )


def judge(
    frame: pl.DataFrame,
    protocol: EvaluationProtocol,
    own: ThresholdTraits,
    evaluators: Mapping[str, Any],
    *,
    short_limit: int,
) -> JudgedEvents:
    """Metrics, rules, threshold and counts of events, by the protocol that judges units.

    Args:
        frame: see the module.
        own: what the model's traits say of its threshold.
        evaluators: those whose metrics stand under the unit's name.
        short_limit: events of a unit below which it is short, as where the frame was made.

    Returns:
        `metrics` and `trivial` as in the record (there are none of distinct events: an event's score depends on
        those before it), `threshold`, and `counts`, with `unjudged` events that score −∞.

    Raises:
        IncompatibleError: as `decide`; and where unseen keys are ignored, since events have no score without them.
    """
    if protocol.unseen == "ignore":
        raise IncompatibleError("unseen = ignore: models give no score of events without unseen keys")
    empty = {"ignoring": pl.lit(None, pl.Float64), "ignoring_event": pl.lit(None, pl.Int64), "event": pl.lit(0)}
    decision = decide(
        frame.with_columns(**empty), replace(protocol, duplicates="all"), own, short_limit=short_limit
    )
    test = as_units(decision.units)
    unjudged = int(test.filter(pl.col("raw") == -np.inf)["count"].sum())
    return {
        "metrics": metrics_of(test, evaluators, UNIT, weighted=True),
        "trivial": {name: metrics_of(rule(test, name), evaluators, UNIT, weighted=True) for name in RULES},
        "threshold": decision.threshold,
        "counts": cast(EventsDecided, {**decision.counts, "unjudged": unjudged}),
    }
