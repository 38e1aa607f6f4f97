"""Corrupted copies of normal units: what a model is asked to tell from them where no anomaly is known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ...data.per_unit import events_of_units
from ...data.sessions import Sessions
from ...pipeline.split import ANOMALY

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("swap", "remove", "repeat", "replace")
# Share of a unit's events that an edit of its kind touches, one at least.
DOSE = 0.1
# Draws of an edit before a unit goes without a copy.
TRIES = 10


def with_copies(
    sessions: Sessions, normal: NDArray[np.int64], rng: np.random.Generator
) -> tuple[Sessions, NDArray[np.int64]]:
    """The sessions with a corrupted copy of each of the units `normal` behind them, labelled 1.

    A copy has one kind of edit: neighbouring events swap, events go, stand twice, or become another event of these
    sessions, a tenth of its events, one at least. One that is a sequence that occurs among the sessions is drawn
    again, since it would be normal; after ten draws the unit goes without. Times stay in order: an event that
    takes a place takes its time.

    Args:
        normal: indices, int64. rng: draws the edits.

    Returns:
        The longer sessions, and the indices of the copies, int64.
    """
    known = {_bytes(sessions, unit) for unit in range(len(sessions))}
    events, places, sources = [], [], []
    for unit in normal.tolist():
        for _ in range(TRIES):
            content, place = _edited(sessions, unit, rng)
            if len(content) and sessions.keys[content].tobytes() not in known:
                events.append(content)
                places.append(place)
                sources.append(unit)
                break
    total = len(sessions)
    made = _rearranged(
        sessions,
        np.concatenate([np.arange(len(sessions.keys)), *events]).astype(np.int64),
        np.concatenate([np.arange(len(sessions.keys)), *places]).astype(np.int64),
        np.concatenate([sessions.lengths, [len(one) for one in events]]).astype(np.int64),
        np.concatenate([np.arange(total), sources]).astype(np.int64),
    )
    assert made.labels is not None
    labels = made.labels.copy()
    labels[total:] = ANOMALY
    ids = [*sessions.ids, *(f"{sessions.ids[unit]} edited" for unit in sources)]
    return replace(made, labels=labels, ids=pl.Series("unit", ids, dtype=pl.String)), np.arange(total, len(made))


def _bytes(sessions: Sessions, unit: int) -> bytes:
    return sessions.keys[sessions.offsets[unit] : sessions.offsets[unit + 1]].tobytes()


def _edited(
    sessions: Sessions, unit: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Events of a copy, and those whose times they take, as indices among all events, int64 [events]."""
    events, _ = events_of_units(sessions.offsets, np.array([unit]))
    own = events.astype(np.int64)
    some = min(max(1, round(DOSE * len(own))), len(own))
    at = np.sort(rng.choice(len(own), some, replace=False))
    match KINDS[rng.integers(len(KINDS))]:
        case "swap":
            content = own.copy()
            for place in at[at + 1 < len(own)]:
                content[[place, place + 1]] = content[[place + 1, place]]
            return content, own
        case "remove":
            left = np.delete(own, at)
            return left, left
        case "repeat":
            twice = np.insert(own, at + 1, own[at])
            return twice, twice
        case _:
            content = own.copy()
            content[at] = rng.integers(len(sessions.keys), size=some)
            return content, own


def _rearranged(
    sessions: Sessions,
    events: NDArray[np.int64],
    places: NDArray[np.int64],
    lengths: NDArray[np.int64],
    sources: NDArray[np.int64],
) -> Sessions:
    """Units made of any events: times and lines of those at `places`, columns of units of those at `sources`."""
    made: dict[str, Any] = {}
    for name, column in Sessions.columns.items():
        if (values := getattr(sessions, name)) is not None:
            at = sources if column.per == "unit" else places if name in ("times", "lines") else events
            made[name] = values.gather(at) if isinstance(values, pl.Series) else values[at]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return replace(sessions, offsets=offsets, raw=sessions.raw and sessions.raw.take(events), **made)
