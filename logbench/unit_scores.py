"""Ask a model for the scores of units; equal key sequences are asked once where that is all it looks at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .frames import Scores, Sessions
from .interfaces import Context


def score_units(model: Any, sessions: Sessions, context: Context, name: str, share: bool) -> Scores:
    """Scores of all units.

    Args:
        model: see `interfaces.Model`. name: of the model, for errors.
        share: score each distinct key sequence once, and give equal ones that score. There are then no scores of
            single events.

    Raises:
        PluginError: the model's answer is of a wrong shape or type, or holds NaN.
    """
    if not share:
        return Scores.of(model.score(sessions, context), len(sessions), name, len(sessions.keys))
    distinct = sessions.distinct
    units = sessions.take(distinct.first)
    scores = Scores.of(model.score(units, context), len(units), name, len(units.keys))
    return replace(scores, facts={**scores.facts, "distinct": len(distinct)}).take(distinct.inverse)
