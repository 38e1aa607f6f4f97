"""Split lines by time before windows are built, so that no window mixes training and test lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..api.contracts import Windower
from ..api.protocol import EvaluationProtocol
from ..api.traits import WindowerTraits
from ..base.errors import IncompatibleError
from ..data.lines import Lines
from .shares import HELD_OUT, RESERVED, TEST, TRAIN

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Names of the values of column `side`.
SIDES = ("train", "held-out", "test", "reserved")
# Sides in the order of the log.
ORDER = (TRAIN, HELD_OUT, RESERVED, TEST)


def cuts_lines(traits: WindowerTraits, config: Any, protocol: EvaluationProtocol) -> bool:
    """Whether to split the lines first and build windows on each side.

    Args:
        traits, config: traits and configuration of the windower.

    Raises:
        IncompatibleError: windows overlap and are split whole, so that two sides would share lines.
    """
    overlaps = traits.overlaps(config) if callable(traits.overlaps) else traits.overlaps
    cuts = bool(traits.line_windows and protocol.train == "ratio")
    if overlaps and not cuts:
        raise IncompatibleError(
            f"overlapping windows share lines, so protocol.train={protocol.train} would train on lines that it "
            "tests; use protocol.train=ratio, which cuts the lines first, or windows without overlap"
        )
    return cuts


@dataclass(frozen=True)
class Cuts:
    """Positions that split the lines into training, held-out, reserved and test lines, in this order.

    Attributes:
        held_out, reserved, test: first line of each of these sides.
        total: number of lines.
    """

    held_out: int
    reserved: int
    test: int
    total: int

    @classmethod
    def of(cls, lines: Lines, protocol: EvaluationProtocol) -> Cuts:
        """Count the lines and split them by `train_ratio`, `held_out` and `test_reserve`."""
        last = lines.frame.select(pl.col("line").max()).collect(engine="streaming").item()
        return cls.of_total(0 if last is None else int(last) + 1, protocol)  # `pl.len()` asks for any one column

    @classmethod
    def of_total(cls, total: int, protocol: EvaluationProtocol) -> Cuts:
        """Split so many lines."""
        end = round(protocol.train_ratio * total)
        test = round(protocol.largest.train_ratio * total)
        return cls(end - round(protocol.held_out * end), end, test, total)

    @property
    def begins(self) -> tuple[int, ...]:
        """First line of each side after the first, in the order of `ORDER`."""
        return (self.held_out, self.reserved, self.test)

    def splitting(self, windower: Windower) -> Windower:
        """The windower, its units cut at the cuts."""
        return SplitWindower(windower, self)

    def unit_sides(self, units: pl.DataFrame) -> NDArray[np.int8]:
        """Side of each unit, int8 [units], by its `first_line`."""
        return self.sides(units["first_line"].to_numpy())

    def sides(self, lines: NDArray[np.int64]) -> NDArray[np.int8]:
        """Side of each line number, int8 [lines]: 0 training, 1 held out, 2 test, 3 reserved."""
        place = np.searchsorted(self.begins, lines, side="right")
        return np.array(ORDER, dtype=np.int8)[place]

    def counted(self) -> Mapping[str, int]:
        """Count the lines of each side, for the record."""
        reserved = {"reserved_lines": self.test - self.reserved} if self.test > self.reserved else {}
        return {
            "train_lines": self.held_out,
            "held_out_lines": self.reserved - self.held_out,
            **reserved,
            "test_lines": self.total - self.test,
        }


class SplitWindower:
    """Wraps a windower so that units end at the cuts. The side's name begins the names of its units."""

    def __init__(self, windower: Windower, cuts: Cuts) -> None:
        self.windower, self.cuts = windower, cuts

    def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        """See `Windower.assign`."""
        line = pl.col("line")
        side, begin = pl.lit(ORDER[0], pl.Int8), pl.lit(0, pl.UInt32)
        for number, first in zip(ORDER[1:], self.cuts.begins, strict=True):
            side = pl.when(line >= first).then(pl.lit(number, pl.Int8)).otherwise(side)
            begin = pl.when(line >= first).then(pl.lit(first, pl.UInt32)).otherwise(begin)
        assigned = self.windower.assign(lines.with_columns(side=side, place=(line - begin).cast(pl.UInt32)))
        name = side.replace_strict(dict(enumerate(SIDES)), return_dtype=pl.String)
        return assigned.with_columns(unit=name + " " + pl.col("unit"))
