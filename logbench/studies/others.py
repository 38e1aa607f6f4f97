"""How surprising the count of a key in one unit is, by what the other units say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import nbinom, poisson

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Others:
    """Of a key, what the units say that are not near each of some units.

    Attributes:
        mean: mean count of the others, zeros among them.
    """

    def __init__(self, at: NDArray[np.int64], c: NDArray[np.float64], units: int, near: int) -> None:
        low, high = np.searchsorted(at, at - near), np.searchsorted(at, at + near, side="right")
        self.n = units - (np.minimum(at + near, units - 1) - np.maximum(at - near, 0) + 1)
        self.n = np.maximum(self.n, 1)

        def outside(values: NDArray[np.float64]) -> NDArray[np.float64]:
            sums = np.concatenate([[0.0], np.cumsum(values)])
            return np.asarray(sums[-1] - (sums[high] - sums[low]))

        there = outside((c > 0).astype(np.float64))
        total, squares = outside(c), outside(c * c)
        self.present = (there + 0.5) / (self.n + 1.0)
        self.mean = total / self.n
        # Of the units that have it, how much they have above one; where no other has it, as if one had one more.
        self.above = np.where(there > 0, (total - there + 0.5) / np.maximum(there + 0.5, 1), 1.0)
        second = squares - 2 * total + there  # sum of (c − 1)²
        self.spread = np.where(
            there > 1, second / np.maximum(there, 1) - (total - there) ** 2 / np.maximum(there, 1) ** 2, 0
        )

    def more(self, at: NDArray[np.int64], c: NDArray[np.float64]) -> NDArray[np.float64]:
        """Surprise of a count at least as large."""
        there = np.minimum(self.present, 1.0)
        return np.asarray(-np.log(there) - _tail(c - 2, self.above, self.spread, upper=True))

    def less(self, c: NDArray[np.float64]) -> NDArray[np.float64]:
        """Surprise of a count at most as large."""
        none = 1 - np.minimum(self.present, 1 - 0.5 / (self.n + 1))
        some = _tail(c - 1, self.above, self.spread, upper=False)
        return np.asarray(-np.log(np.where(c > 0, none + (1 - none) * np.exp(some), none)))


def _tail(
    value: NDArray[np.float64], mean: NDArray[np.float64], variance: NDArray[np.float64], upper: bool
) -> NDArray[np.float64]:
    """Log-probability of more than (or at most) a value: negative binomial or, where spread is small, Poisson."""
    wide = variance > 1.05 * mean
    size = mean**2 / np.maximum(variance - mean, 1e-9)
    share = np.clip(size / (size + mean), 1e-12, 1 - 1e-12)
    if upper:
        found = np.where(wide, nbinom.logsf(value, size, share), poisson.logsf(value, mean))
    else:
        found = np.where(wide, nbinom.logcdf(value, size, share), poisson.logcdf(value, mean))
    return np.where(np.isfinite(found), found, -700.0)
