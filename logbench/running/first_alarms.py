"""Where within its unit an alarm could first be raised, for evaluators that ask how early it is."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..api.optional_evaluators import NeedsFirstAlarm
from ..api.protocol import EvaluationProtocol
from ..base.progress import silent
from ..data.distinct import blocks
from ..data.neutral import neutral
from ..data.per_unit import events_of_units
from ..data.scores import FIRST_ALARM, Scores, spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..api.contracts import Context
    from ..data.sessions import Sessions
    from ..evaluation.verdicts import Decision

# Events looked at together, and how far a unit's score may be from the highest of its events.
CHUNK, CLOSE = 1 << 20, 1e-6
# Said of a run in slices whose model is no longer the one that raised the alarms.
LEARNED = "the model has learned since it raised alarms, so at which event of a unit it did is not known"


def wants_first_alarms(evaluators: Iterable[Any]) -> bool:
    """Whether one of them reads the columns."""
    return any(isinstance(one, NeedsFirstAlarm) and one.needs_first_alarm for one in evaluators)


def with_first_alarms(
    decision: Decision,
    protocol: EvaluationProtocol,
    sessions: Sessions,
    model: Any,
    context: Context,
    needs: Set[str],
) -> Decision:
    """Add the columns `FIRST_ALARM` to the frame, Int64 each: place of an event in its unit, and its time.

    They are null but of test units that alarm. A unit whose score is the highest of its events alarms at the first
    event above the threshold, one that alarms by an unseen key at that key, and any other at its last event:
    before, nobody knows. The model scores the units that alarm once more, now event by event.

    Args:
        decision: see `verdicts.decide`. sessions: all units. needs: what the model needs.
    """
    frame = decision.frame
    alarms = (pl.col("part") == "test") & pl.col("verdict").fill_null(False) & (pl.col("events") > 0)
    rows = frame.with_row_index("row").filter(alarms)
    units = rows["index"].to_numpy()
    place = sessions.lengths[units] - 1
    if len(judged := np.flatnonzero(~rows["short"].to_numpy())):
        some, raw = units[judged], rows["raw"].to_numpy()[judged]
        if protocol.unseen == "anomalous":
            place[judged] = np.minimum(place[judged], _first_unseen(sessions, some))
        if protocol.unseen != "ignore":  # the scores of events do not ignore them
            asked = (sessions, some, raw, float(decision.threshold["exact"]), model, context, needs)
            place[judged] = np.minimum(place[judged], _first_above(*asked))
    times = None if sessions.times is None else sessions.times[sessions.offsets[:-1][units] + place]
    where = rows["row"].to_numpy()
    columns = [
        spread(values, where, len(frame), pl.Int64).alias(name)
        for name, values in zip(FIRST_ALARM, (place, times), strict=True)
    ]
    return replace(decision, frame=frame.with_columns(columns))


def _first_unseen(sessions: Sessions, units: NDArray[np.int64]) -> NDArray[np.int64]:
    """Place of the first unseen key of each unit, beyond all events where there is none."""
    positions, _ = events_of_units(sessions.offsets, units)
    return _first(sessions.keys[positions] >= sessions.vocabulary, sessions.lengths[units])


def _first_above(
    sessions: Sessions,
    units: NDArray[np.int64],
    raw: NDArray[np.float64],
    threshold: float,
    model: Any,
    context: Context,
    needs: Set[str],
) -> NDArray[np.int64]:
    """Place of the first event above the threshold, where the unit's score is the highest of its events."""
    lengths = sessions.lengths[units]
    found = np.full(len(units), np.iinfo(np.int64).max)
    for some, _ in blocks(np.concatenate([[0], np.cumsum(lengths)]), CHUNK):
        asked = neutral(sessions, needs, units=units[some])
        answer = model.score(asked, replace(context, events=True, progress=silent))
        events = Scores.of(answer, len(asked), "", len(asked.keys)).events
        if events is None:
            return found
        highest = np.maximum.reduceat(events, asked.offsets[:-1])
        with np.errstate(invalid="ignore"):
            same = (highest == raw[some]) | (np.abs(highest - raw[some]) <= CLOSE * np.abs(raw[some]))
        first = _first(events > threshold, lengths[some])
        found[some] = np.where(same, first, found[some])
    return found


def _first(mask: NDArray[np.bool_], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Place of the first true event of each unit, beyond all events where there is none; no unit is empty."""
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    places = np.arange(len(mask)) - np.repeat(offsets[:-1], lengths)
    places[~mask] = np.iinfo(np.int64).max
    return np.asarray(np.minimum.reduceat(places, offsets[:-1])) if len(lengths) else places
