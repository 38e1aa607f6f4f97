"""Names in buckets, so that what looks up millions of them takes the memory of one bucket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

# About how many names a bucket holds.
NAMES = 1 << 20


def bucketed(*columns: pl.Series) -> Iterator[tuple[NDArray[Any], ...]]:
    """Rows of each column that fall in one bucket, ascending, int [n]; equal names fall in the same one.

    Args:
        columns: of one type, such as String.
    """
    count = max(map(len, columns)) // NAMES + 1
    numbers = [(column.hash(0) % count).cast(pl.UInt16).to_numpy() for column in columns]
    for bucket in range(count):
        yield tuple(np.flatnonzero(number == bucket) for number in numbers)
