"""How far a slice is from training and from the slice before: unseen keys, distance of distributions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..api.record_stream import DriftFacts
from ..data.per_unit import events_of_units
from ..data.sessions import Sessions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def jensen_shannon(some: NDArray[np.int64], others: NDArray[np.int64]) -> float | None:
    """Distance of two distributions, 0 (equal) to 1 (nothing in common), a metric (Endres & Schindelin, IEEE
    Transactions on Information Theory 49, 2003): the root of the Jensen–Shannon divergence in bits.

    Args:
        some, others: counts by key, int64 [keys] each.

    Returns:
        None where one counts nothing.

    Examples:
        >>> jensen_shannon(np.array([4, 0]), np.array([0, 4]))
        1.0
    """
    if not some.sum() or not others.sum():
        return None
    first, second = some / some.sum(), others / others.sum()
    middle = (first + second) / 2
    divergence = (_bits(first, middle) + _bits(second, middle)) / 2
    return float(np.sqrt(min(max(divergence, 0.0), 1.0)))


def _bits(of: NDArray[np.float64], to: NDArray[np.float64]) -> float:
    """Kullback–Leibler divergence; `to` is above 0 where `of` is."""
    some = of > 0
    return float((of[some] * np.log2(of[some] / to[some])).sum())


def drift_of(
    sessions: Sessions, train: NDArray[np.int64], slices: Sequence[NDArray[np.int64]]
) -> list[DriftFacts]:
    """Facts of each slice; keys that training does not have count as one key.

    Args:
        sessions: all units, under the training's keys.
        train: int64, units that train. slices: int64, units of each slice.
    """
    size = sessions.vocabulary + 1

    def counts(units: NDArray[np.int64]) -> NDArray[np.int64]:
        events, _ = events_of_units(sessions.offsets, units)
        return np.bincount(sessions.clipped_keys[events], minlength=size)

    start, before, found = counts(train), None, list[DriftFacts]()
    for units in slices:
        these = counts(units)
        unseen, events = int(these[-1]), int(these.sum())
        found.append(
            {
                "unseen": unseen / events if events else None,
                "units_unseen": float((sessions.unseen[units] > 0).mean()),
                "distance": jensen_shannon(start, these),
                "step": None if before is None else jensen_shannon(before, these),
            }
        )
        before = these
    return found
