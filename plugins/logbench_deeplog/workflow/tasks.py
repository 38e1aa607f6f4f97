"""Which keys are of one task: those that come near each other more often than chance (section 4.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .expectations import Expectations

# Standard errors that a share is taken to be lower than counted, so that what came together once is no task.
DOUBT = 2.0


def tasks_of(given: Expectations, tau: float, distance: int) -> list[list[int]]:
    """Tasks as lists of keys, the most frequent first; a key that comes with no other is a task of its own.

    Args:
        tau: keys whose affinity is larger at a distance of 1, 2, … or `distance` events are of one task, and so
            are keys that such a chain joins.
    """
    keys = given.likely.shape[1]
    linked = np.zeros((keys, keys), dtype=bool)
    for d in range(1, distance + 1):
        linked |= affinity(given, d) > tau
    group = connected_components(csr_matrix(linked), directed=False)[1]
    counts = np.bincount(given.keys, minlength=keys)
    tasks = [np.flatnonzero((group == number) & (counts > 0)).tolist() for number in np.unique(group)]
    return sorted(filter(None, tasks), key=lambda task: (-counts[task].sum(), task))


def affinity(given: Expectations, d: int) -> NDArray[np.float64]:
    """How much more often than by chance key j follows within d events of key i: the larger of two shares.

    Of the occurrences of i, those that j follows; of the occurrences of j, those that i precedes. 0 is chance, 1
    is always; float64 [keys, keys]. A share is lowered by its doubt.
    """
    size = len(given.keys)
    actual = np.eye(given.likely.shape[1])[given.keys]
    begin = np.searchsorted(given.units, given.units)
    end = np.searchsorted(given.units, given.units, side="right")
    at = np.arange(size)
    with np.errstate(divide="ignore"):
        never = np.log1p(-np.minimum(given.likely, 1 - 1e-12))
    total = np.vstack([np.zeros(never.shape[1]), np.cumsum(never, 0)])
    follows = 1 - np.exp(total[np.minimum(at + 1 + d, end)] - total[at + 1])
    came = np.vstack([np.zeros(never.shape[1]), np.cumsum(actual, 0)])
    before = (came[at] - came[np.maximum(at - d, begin)] > 0).astype(np.float64)
    share = actual.mean(0) if size else np.zeros(never.shape[1])
    chance = 1 - (1 - share) ** d
    times = np.maximum(actual.sum(0), 1e-9)
    mass = np.maximum(given.likely.sum(0), 1e-9)
    forth = _beyond(actual.T @ follows / times[:, None], times[:, None], chance[None, :])
    back = _beyond((given.likely.T @ before / mass[:, None]).T, mass[None, :], chance[:, None])
    nearer = np.maximum(forth, back)
    np.fill_diagonal(nearer, 0.0)
    return nearer


def _beyond(
    shares: NDArray[np.float64], times: NDArray[np.float64], chance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Shares beyond chance, as part of what could be; by Wilson's lower bound of each share of so many times."""
    shares, squared = shares.clip(0, 1), DOUBT**2
    middle = shares + squared / (2 * times)
    spread = DOUBT * np.sqrt(shares * (1 - shares) / times + squared / (4 * times**2))
    low = (middle - spread) / (1 + squared / times)
    return np.asarray((low - chance) / np.maximum(1 - chance, 1e-9))
