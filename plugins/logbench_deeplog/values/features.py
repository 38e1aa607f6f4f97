"""Which numbers of a key are values, and their scale in training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .numbers import Numbers, nominal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Features:
    """The values of one key.

    Attributes:
        key: its number.
        columns: of `Numbers`, −1 for the time.
        mean, scale: of each in training.
    """

    key: int
    columns: tuple[int, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]

    @property
    def names(self) -> list[str]:
        """As people count: `value 1` stands at the first wildcard."""
        return ["time" if column < 0 else f"value {column + 1}" for column in self.columns]

    def standardised(self, values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
        """Values [n, all columns] as float64 [n, width], NaN at the end."""
        own = np.full((len(values), width), np.nan)
        own[:, : len(self.columns)] = (values[:, self.columns] - self.mean) / self.scale
        return own


def columns_of(numbers: Numbers, share: float) -> tuple[list[int], list[int]]:
    """Columns of one key's events that are values in all of training, and those left out because they name."""
    values, names = [], []
    last = numbers.values.shape[1] - 1
    for column in range(last + 1):
        numeric = numbers.values[:, column]
        numeric = numeric[~np.isnan(numeric)]
        if not len(numeric) or numbers.words[:, column].any():
            continue
        if column < last and nominal(numeric, share):
            names.append(column)
        else:
            values.append(column if column < last else -1)
    return values, names


def features_of(key: int, columns: Sequence[int], values: NDArray[np.float64]) -> Features:
    """Their scale in the values [n, all columns] of training, 1 for a constant; held-out entries are not in it."""
    own = values[:, list(columns)]
    with np.errstate(invalid="ignore"):
        mean = np.array([one[~np.isnan(one)].mean() if (~np.isnan(one)).any() else 0.0 for one in own.T])
        std = np.array([one[~np.isnan(one)].std() if (~np.isnan(one)).any() else 0.0 for one in own.T])
    scale = np.where(std > 1e-9 * np.maximum(1.0, np.abs(mean)), std, 1.0)
    return Features(key, tuple(columns), tuple(mean.tolist()), tuple(scale.tolist()))
