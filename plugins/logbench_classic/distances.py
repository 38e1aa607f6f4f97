"""Distances of all pairs of vectors by one product."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Most distances in memory at once (128 MiB).
CELLS = 1 << 24
# float32 holds all whole numbers up to this one.
EXACT = 1 << 24


def squared_distances(
    asked: NDArray[np.float64], rows: NDArray[np.float64]
) -> tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]]]:
    """Squared distances, [asked, rows], exact for whole numbers, and what may be rounding of them, [asked, 1]."""
    own, others = (asked**2).sum(axis=1)[:, None], (rows**2).sum(axis=1)
    eps = float(np.finfo(np.float64).eps) * rows.shape[1]
    if 2 * (own.max(initial=0.0) + others.max()) >= EXACT or (asked % 1).any() or (rows % 1).any():
        return own + others - 2 * asked @ rows.T, eps * (own + others.max())
    # Whole numbers: one product in float32 is exact, and needs no further pass over a table of all pairs.
    left, right = np.hstack([asked, own, np.ones_like(own)]), np.vstack([-2 * rows.T, np.ones(len(rows)), others])
    return left.astype(np.float32) @ right.astype(np.float32), np.zeros_like(own, dtype=np.float32)
