"""Groups of units, such as their application, host or node: an optional column of the units.

The data set gives groups in a column `group` of its lines or key sequences, or else the windower does. A unit has
the group of its first line. Units with lines of several groups are counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ..api.record_split import GroupFacts
from ..data.categories import FirstSeenCodes

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Code of a missing group.
NONE = -1


class UnitGroups:
    """Collects, in one pass over the lines, each unit's first group and whether its lines have several."""

    def __init__(self) -> None:
        self._numbers = FirstSeenCodes()
        self._first = np.empty(0, dtype=np.int32)
        self._several = np.empty(0, dtype=bool)

    def add(self, unit: NDArray[np.int32], group: pl.Series) -> None:
        """Add lines.

        Args:
            unit: int32 [lines], numbers of units, new ones in first-seen order.
            group: Categorical [lines], null without a group.
        """
        code = np.full(len(unit), NONE, dtype=np.int32)
        known = group.is_not_null().to_numpy()
        if known.any():
            code[known] = self._numbers.of(group.drop_nulls())
        before = len(self._first)
        more = max(int(unit.max()) + 1 - before, 0)
        fresh = np.full(more, NONE, dtype=np.int32)
        late = np.flatnonzero(unit >= before)[::-1]
        fresh[unit[late] - before] = code[late]  # the first line is written last
        self._first = np.concatenate([self._first, fresh])
        self._several = np.concatenate([self._several, np.zeros(more, dtype=bool)])
        self._several[unit[code != self._first[unit]]] = True

    def names(self) -> pl.Series | None:
        """Group of each unit, String [units]; None if no line has a group."""
        if not len(self._numbers):
            return None
        return self._numbers.names().gather(pl.Series(self._first).replace(NONE, None)).alias("group")

    @property
    def mixed(self) -> int:
        """Number of units with lines of several groups, or with and without one."""
        return int(self._several.sum())


def group_codes(units: pl.DataFrame) -> NDArray[np.int64] | None:
    """Code of each unit's group, int64 [units], in first-seen order; None if no unit has a group.

    Units without a group get one code together, because they may share anything.
    """
    if "group" not in units.columns or units["group"].null_count() == len(units):
        return None
    names = units.select("group").unique(maintain_order=True).with_row_index("code")
    numbered = units.select("group").join(names, on="group", how="left", maintain_order="left", nulls_equal=True)
    codes: NDArray[np.int64] = numbered["code"].cast(pl.Int64).to_numpy()
    return codes


def shared_groups(units: pl.DataFrame, training: NDArray[np.int64], test: NDArray[np.int64]) -> GroupFacts | None:
    """Count the groups that train, that are tested, and that do both; None if there are no groups.

    Args:
        training: indices of units that train or are held out.
        test: indices of tested units.

    Returns:
        `train`, `test`, `shared`: numbers of groups.
        `test_units_shared`: tested units whose group also trains.
        `units_without`: units without a group; together they count as one group.
    """
    if (codes := group_codes(units)) is None:
        return None
    both = np.intersect1d(codes[training], codes[test])
    return {
        "train": len(np.unique(codes[training])),
        "test": len(np.unique(codes[test])),
        "shared": len(both),
        "test_units_shared": int(np.isin(codes[test], both).sum()),
        "units_without": units["group"].null_count(),
    }
