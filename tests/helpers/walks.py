"""Units in which most keys follow from the one before."""

from __future__ import annotations

import numpy as np

from logbench import Sessions

KEYS = 6


def walks(seed: int, count: int = 40, unknown: bool = False) -> Sessions:
    """Units of 1 … 14 keys, most of them one after another."""
    rng = np.random.default_rng(seed)
    units = [(rng.integers(KEYS) + np.arange(rng.integers(1, 15))) % KEYS for _ in range(count)]
    for unit in units:
        unit[rng.random(len(unit)) < 0.1] = KEYS + 3 if unknown else 0
    return Sessions.of([unit.tolist() for unit in units], KEYS)
