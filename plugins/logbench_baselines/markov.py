"""First-order Markov chain over events (Ye, IEEE SMC Workshop on Information Assurance, 2000)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from logbench import Scores

from .common import NpzState, check_keys, in_blocks, lookup, worst

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from logbench import Context, Sessions

    from . import MarkovConfig


class Markov(NpzState):
    """Score: the negative log-probability (nats) of a unit's least likely transition.

    Units begin and end in a state of their own. After a state met n times, a transition met m times has
    probability (m + s) / (n + s (V + 2)): V known events, an unseen one, or the end; s is `smoothing`.
    """

    kept: Mapping[str, str] = {
        "codes": "int64 [transitions]",
        "costs": "float64 [transitions]",
        "unmet": "float64 [states]",
        "smoothing": "float64",
    }

    def __init__(self, config: MarkovConfig) -> None:
        self.smoothing = config.smoothing

    def fit(self, train: Sessions, context: Context) -> Mapping[str, Any]:
        """Count transitions; `unmet` is the cost, by state, of a transition unseen in training."""
        states = train.vocabulary + 2
        distinct, parts, begin = train.distinct, [], 0
        for units in in_blocks(train.take(distinct.first)):
            code, unit, _ = transitions(units)
            part = pl.DataFrame({"code": code, "times": distinct.counts[begin + unit]})
            parts.append(part.group_by("code").agg(pl.col("times").sum()))
            begin += len(units)
        met = pl.concat(parts).group_by("code").agg(pl.col("times").sum()).sort("code")
        self.codes, times = met["code"].to_numpy(), met["times"].to_numpy()
        left = np.bincount(self.codes // states, weights=times, minlength=states)
        total = np.log(left + self.smoothing * states)
        self.costs = total[self.codes // states] - np.log(times + self.smoothing)
        self.unmet = total - np.log(self.smoothing)
        return {"transitions": len(self.codes)}

    def score(self, sessions: Sessions, context: Context) -> Scores:
        """See `Model.score`; the deciding event is where the least likely transition leads (the last: the end).

        Of an event: the transition to it; that to the end is of none.
        """
        check_keys(sessions.vocabulary, len(self.unmet) - 2, "markov")
        parts = [self._scored(units, context.events) for units in in_blocks(sessions)]
        primary, event, ignoring, ignoring_event, events = map(np.concatenate, zip(*parts, strict=True))
        return Scores(primary, event, ignoring, ignoring_event, events=events if context.events else None)

    def _scored(self, sessions: Sessions, events: bool) -> tuple[NDArray[Any], ...]:
        """Score and deciding event of each unit, both again without unseen ones, and scores of events if asked."""
        code, unit, event = transitions(sessions)
        states, strange = sessions.vocabulary + 2, sessions.vocabulary
        source, target = code // states, code % states
        cost = lookup(self.codes, self.costs, code, np.nan)
        cost = np.where(np.isnan(cost), self.unmet[source], cost)
        primary = _decided(cost, unit, event, len(sessions))
        ignored = np.where((source == strange) | (target == strange), 0.0, cost)
        ignoring = _decided(ignored, unit, event, len(sessions))
        return *primary, *ignoring, cost[target != sessions.vocabulary + 1] if events else np.empty(0)


def _decided(
    cost: NDArray[np.float64], unit: NDArray[np.int64], event: NDArray[np.int64], size: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    score, at = worst(cost, unit, size)
    return score, np.where(score > 0, np.append(event, -1)[at], -1)


def transitions(sessions: Sessions) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Code of states (from · states + to), unit, and index of the event led to, int64 [events + units] each.

    State V is any unseen event, V + 1 the begin as source and the end as target.
    """
    states, outer = sessions.vocabulary + 2, sessions.vocabulary + 1
    size = len(sessions)
    unit = np.repeat(np.arange(size), sessions.lengths + 1)
    begins = sessions.offsets[:-1] + np.arange(size)
    within = np.arange(len(unit)) - begins[unit]
    inner = np.ones(len(unit), dtype=bool)
    inner[begins + sessions.lengths] = False
    target = np.full(len(unit), outer, dtype=np.int64)
    target[inner] = sessions.clipped_keys
    source = np.concatenate([[outer], target[:-1]])[: len(unit)]
    event = np.minimum(within, sessions.lengths[unit] - 1)
    return source * states + target, unit, event
