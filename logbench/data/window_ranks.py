"""From windows to units: the worst window of each, where it is, and the scores that follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .per_unit import max_per_unit
from .scores import Scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .histories import Histories


def worst_per_unit(ranks: NDArray[np.int32], histories: Histories) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Highest rank in each unit, and the event that the first such window guesses; both int64 [units].

    Units without a window, and units whose ranks are all 0, have rank 0 and event −1.

    Args:
        ranks: int32 [windows], in the flat order of `histories`; 0 for a window that does not count.

    Examples:
        >>> from logbench import Sessions
        >>> histories = Sessions.of([[0, 1, 0, 1], [0]], vocabulary=2).histories(1)
        >>> rank, event = worst_per_unit(np.array([1, 2, 2], np.int32), histories)
        >>> rank.tolist(), event.tolist()
        ([2, 0], [2, -1])
    """
    counts = np.diff(histories.offsets)
    place = np.arange(len(ranks)) - np.repeat(histories.offsets[:-1], counts)
    coded = (ranks.astype(np.int64) << 32) | (2**32 - 1 - place)  # the larger, the worse, then the earlier
    best = max_per_unit(coded, histories.offsets, 0)
    rank = best >> 32
    event = np.where(rank > 0, 2**32 - 1 - (best & (2**32 - 1)) + histories.first, -1)
    return rank, event


def rank_scores(ranks: NDArray[np.int32], nll: NDArray[np.float32], histories: Histories) -> Scores:
    """Scores of units by the worst rank of a key that came; an unknown key is +∞, and `ignoring` leaves it out.

    Args:
        ranks: int32 [windows], in the flat order of `histories`; K + 1 where the key is unknown.
        nll: float32 [windows], negative log-likelihood of the key that came.
    """
    keys = histories.vocabulary
    rank, event = worst_per_unit(ranks, histories)
    known, known_event = rank, event
    if (rank > keys).any():
        known, known_event = worst_per_unit(np.where(ranks > keys, np.int32(0), ranks), histories)
    return Scores(
        primary=np.where(rank > keys, np.inf, rank),
        event=event,
        ignoring=known.astype(np.float64),
        ignoring_event=known_event,
        others={"nll": max_per_unit(nll, histories.offsets, 0.0).astype(np.float64)},
        facts={"windows": len(histories), "distinct_windows": len(histories.distinct)},
    )


def rank_events(ranks: NDArray[np.int32], histories: Histories, events: int) -> NDArray[np.float64]:
    """Rank of each event's key, +∞ where it is unknown, −∞ where no window guesses it; float64 [events].

    Args:
        ranks: see `rank_scores`. events: of all units.
    """
    scores = np.full(events, -np.inf)
    scores[histories.events] = np.where(ranks > histories.vocabulary, np.inf, ranks)
    return scores
