"""Test units in slices of time: a unit is of the slice in which its last line comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ..api.protocol import EvaluationProtocol
from ..base.errors import DataError
from ..base.jsonable import several

if TYPE_CHECKING:
    from numpy.typing import NDArray


def slices_of(
    units: pl.DataFrame, test: NDArray[np.int64], protocol: EvaluationProtocol
) -> list[NDArray[np.int64]]:
    """Cut the test units into slices, int64 indices each, in order of their last lines.

    So every unit of a slice has ended before any of the next slice ends, also where sessions run side by side.

    Args:
        units: one row a unit: `first_line` and `last_line` (Int64).

    Raises:
        DataError: there are fewer test units than slices.

    Examples:
        >>> units = pl.DataFrame({"first_line": [0, 1, 2], "last_line": [5, 3, 4]})
        >>> two = EvaluationProtocol(train="ratio", procedure="prequential", slices=2)
        >>> [one.tolist() for one in slices_of(units, np.arange(3), two)]
        [[1, 2], [0]]
    """
    first, last = (units[name].to_numpy()[test] for name in ("first_line", "last_line"))
    order = test[np.lexsort((first, last))]
    if protocol.slice_units is not None:
        return np.split(order, range(protocol.slice_units, len(order), protocol.slice_units))
    if len(order) < protocol.slices:
        raise DataError(
            f"protocol.slices={protocol.slices}, but there are {several(len(order), 'test unit')}; give fewer "
            "slices, or more data"
        )
    return np.array_split(order, protocol.slices)
