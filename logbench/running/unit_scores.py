"""Score units by a model; score equal key sequences once if the model only uses keys."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..api.contracts import Context
from ..base.errors import PluginError
from ..data.scores import Scores
from ..data.sessions import Sessions

if TYPE_CHECKING:
    from numpy.typing import NDArray


def score_units(model: Any, sessions: Sessions, context: Context, name: str, share: bool) -> Scores:
    """Scores of all units.

    Args:
        model: see `contracts.Model`.
        name: name of the model, for errors.
        share: score each distinct key sequence once and share the score; there are then no scores of events.

    Raises:
        PluginError: the scores have a wrong shape or type, contain NaN, or name an event outside its unit.
    """
    if not share:
        return _asked(model, sessions, context, name)
    distinct = sessions.distinct
    scores = _asked(model, sessions.take(distinct.first), context, name)
    return replace(scores, facts={**scores.facts, "distinct": len(distinct)}).take(distinct.inverse)


def _asked(model: Any, sessions: Sessions, context: Context, name: str) -> Scores:
    scores = Scores.of(model.score(sessions, context), len(sessions), name, len(sessions.keys))
    for column, what, least in (
        (scores.event, "event", -1),
        (scores.ignoring_event, "ignoring_event", -1),
        (scores.unjudged, "unjudged", 0),
    ):
        if column is not None:
            _check_counts(column, sessions.lengths, least, f"model {name!r}: {what!r}")
    return scores


def _check_counts(column: NDArray[Any], lengths: NDArray[np.int64], least: int, what: str) -> None:
    """Refuse values that are no index of an event in the unit (−1: none), or no number of its events."""
    if column.dtype.kind not in "iu":
        raise PluginError(f"{what} must hold whole numbers, got {column.dtype}")
    if (wrong := (column < least) | (column > lengths + least)).any():
        position = int(np.flatnonzero(wrong)[0])
        raise PluginError(f"{what} is {column[position]} at unit {position}, which has {lengths[position]} events")
