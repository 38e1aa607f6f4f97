"""From windows to units: the worst window of each, and where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..data.per_unit import max_per_unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..data.histories import Histories


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
