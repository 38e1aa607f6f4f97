"""Draw what a disturbance changes: a share of the units, and so many events of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..api.protocol import EvaluationProtocol
from ..data.per_unit import events_of_units
from .split import Split

if TYPE_CHECKING:
    from numpy.typing import NDArray


def drawn_units(split: Split, protocol: EvaluationProtocol) -> NDArray[np.int64]:
    """Units to change, int64, ascending: those of the test first, so that they are the same in both places."""
    rng = np.random.default_rng([protocol.split_seed, 6])
    parts = [split.test] if protocol.unstable_in == "test" else [split.test, split.train, split.held_out]
    return np.sort(
        np.concatenate([rng.permutation(part)[: round(protocol.unstable_dose * len(part))] for part in parts])
    )


def drawn_events(
    offsets: NDArray[np.int64],
    units: NDArray[np.int64],
    may: NDArray[np.bool_],
    protocol: EvaluationProtocol,
    spared: int = 0,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The units that can be changed, and a share `unstable_events` of such events of each, at least one.

    A larger share draws the same events and more.

    Args:
        offsets: int64 [units + 1]. units: indices, ascending. may: bool [events], which ones can be changed.
        spared: so many of these events of each unit are not counted in the share.

    Returns:
        Units and events, int64, each ascending.
    """
    priority = np.random.default_rng([protocol.split_seed, 7]).random(len(may))
    able = np.diff(np.concatenate([[0], np.cumsum(may, dtype=np.int64)])[offsets])[units] - spared
    units, able = units[able > 0], able[able > 0]
    share = np.maximum(1, np.rint(protocol.unstable_events * able)).astype(np.int64)
    events, begins = events_of_units(offsets, units)
    level, sizes = np.where(may, priority, np.inf)[events], np.diff(begins)
    order = np.lexsort((level, np.repeat(np.arange(len(units)), sizes)))
    rank = np.arange(len(events)) - np.repeat(begins[:-1], sizes)
    return units, np.sort(events[order[rank < np.repeat(share, sizes)]]).astype(np.int64)
