"""A chronological split of lines, made before windows are: no unit is then on two sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..api.components import Traits
from ..api.contracts import Windower
from ..api.protocol import EvaluationProtocol
from ..base.errors import IncompatibleError
from ..data.lines import Lines
from .shares import HELD_OUT, RESERVED, TEST, TRAIN

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Names by column `side`.
SIDES = ("train", "held-out", "test", "reserved")
# Sides as they follow each other in the log.
ORDER = (TRAIN, HELD_OUT, RESERVED, TEST)


def cuts_lines(traits: Traits, config: Any, protocol: EvaluationProtocol) -> bool:
    """Whether the lines are split, and windows cut on each side.

    Args:
        traits, config: of the windower.

    Raises:
        IncompatibleError: windows overlap, and the split would put whole ones of the same lines on two sides.
    """
    overlaps = traits.overlaps(config) if callable(traits.overlaps) else traits.overlaps
    cuts = bool(traits.cuts_lines and protocol.train == "ratio")
    if overlaps and not cuts:
        raise IncompatibleError(
            f"overlapping windows share lines, so protocol.train={protocol.train} would train on lines that it "
            "tests; use protocol.train=ratio, which cuts the lines first, or windows without overlap"
        )
    return cuts


@dataclass(frozen=True)
class Cuts:
    """Where the lines are split: the held-out stretch ends the training lines, the reserved one comes after it.

    Attributes:
        held_out, reserved, test: first line of each side after the first. total: lines.
    """

    held_out: int
    reserved: int
    test: int
    total: int

    @classmethod
    def of(cls, lines: Lines, protocol: EvaluationProtocol) -> Cuts:
        """Count the lines, and cut them by `train_ratio`, `held_out` and `test_reserve`."""
        total = int(lines.frame.select(pl.len()).collect(engine="streaming").item())
        end = round(protocol.train_ratio * total)
        test = round(protocol.largest.train_ratio * total)
        return cls(end - round(protocol.held_out * end), end, test, total)

    @property
    def begins(self) -> tuple[int, ...]:
        """First line of each side after the first, in the order of `ORDER`."""
        return (self.held_out, self.reserved, self.test)

    def sides(self, lines: NDArray[np.int64]) -> NDArray[np.int8]:
        """Side of each line number, int8 [lines]: 0 training, 1 held out, 2 test, 3 reserved."""
        place = np.searchsorted(self.begins, lines, side="right")
        return np.array(ORDER, dtype=np.int8)[place]

    def counted(self) -> Mapping[str, int]:
        """Lines of each side, for the record."""
        reserved = {"reserved_lines": self.test - self.reserved} if self.test > self.reserved else {}
        return {
            "train_lines": self.held_out,
            "held_out_lines": self.reserved - self.held_out,
            **reserved,
            "test_lines": self.total - self.test,
        }


class SplitWindower:
    """A windower whose units end at the cuts: their names begin with that of their side."""

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
