"""From windows to units, against plain loops."""

from __future__ import annotations

import numpy as np
from next_key import sessions

from logbench import max_per_unit
from logbench.torch import worst_per_unit


def test_the_worst_window_of_each_unit_is_the_first_of_the_largest() -> None:
    histories = sessions(3, units=50).histories(4)
    ranks = np.random.default_rng(0).integers(0, 4, len(histories)).astype(np.int32)
    rank, event = worst_per_unit(ranks, histories)
    largest = max_per_unit(ranks, histories.offsets, -1)
    empty = 0
    for unit, (begin, end) in enumerate(zip(histories.offsets[:-1], histories.offsets[1:], strict=True)):
        own = ranks[begin:end].tolist()
        top = max(own, default=0)
        empty += not own
        assert rank[unit] == top and largest[unit] == (top if own else -1)
        assert event[unit] == (own.index(top) + histories.first if top else -1)
    assert 0 < empty < 50
