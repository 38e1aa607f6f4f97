"""Groups of units, such as the application, host or node that they come from: an optional column of the units.

A data set names the group of its lines or key sequences in a column `group`, or else a windower does. A unit is of
the group of its first line; units with lines of several groups are counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ..data.categories import FirstSeenCodes

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Number of no group.
NONE = -1


class UnitGroups:
    """The group of each unit's first line, and which units have lines of several, in one pass over the lines."""

    def __init__(self) -> None:
        self._numbers = FirstSeenCodes()
        self._first = np.empty(0, dtype=np.int32)
        self._several = np.empty(0, dtype=bool)

    def add(self, unit: NDArray[np.int32], group: pl.Series) -> None:
        """Further lines.

        Args:
            unit: int32 [lines], numbers of units, new ones in first-seen order. group: Categorical, null: of none.
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
        """The group of each unit, String [units]; None where no line has a group."""
        if not len(self._numbers):
            return None
        return self._numbers.names().gather(pl.Series(self._first).replace(NONE, None)).alias("group")

    @property
    def mixed(self) -> int:
        """Units with lines of several groups, or of one and of none."""
        return int(self._several.sum())


def group_codes(units: pl.DataFrame) -> NDArray[np.int64] | None:
    """A number for the group of each unit, int64 [units], in first-seen order; None where no unit has a group.

    Units without a group have one number together, since what they share is not known.
    """
    if "group" not in units.columns or units["group"].null_count() == len(units):
        return None
    names = units.select("group").unique(maintain_order=True).with_row_index("code")
    numbered = units.select("group").join(names, on="group", how="left", maintain_order="left", nulls_equal=True)
    codes: NDArray[np.int64] = numbered["code"].cast(pl.Int64).to_numpy()
    return codes


def shared_groups(
    units: pl.DataFrame, training: NDArray[np.int64], test: NDArray[np.int64]
) -> dict[str, int] | None:
    """How many groups train, are tested, and both; None where there are no groups.

    Args:
        training: indices of units that train or are held out. test: of tested ones.

    Returns:
        `train`, `test`, `shared`: groups. `test_units_shared`: tested units whose group trains, too.
        `units_without`: units of no group; together they count as one.
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
