"""A chronological split of lines, made before windows are: no unit is then on two sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from .errors import UnfitError
from .frames import Lines
from .interfaces import Windower
from .protocol import EvaluationProtocol

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .plan import Job

SIDES = ("train", "held-out", "test")
"""Names by column `side`."""


def cuts_lines(job: Job) -> bool:
    """Whether the lines are split, and windows cut on each side.

    Raises:
        UnfitError: windows overlap, and the split would put whole ones of the same lines on two sides.
    """
    traits, protocol = job.windower.entry.item.traits, job.protocol
    overlaps = traits.overlaps(job.windower.config) if callable(traits.overlaps) else traits.overlaps
    cuts = bool(traits.cuts_lines and protocol.train == "ratio")
    if overlaps and not cuts:
        raise UnfitError(
            f"overlapping windows share lines, so protocol.train={protocol.train} would train on lines that it "
            "tests; use protocol.train=ratio, which cuts the lines first, or windows without overlap"
        )
    return cuts


@dataclass(frozen=True)
class Cuts:
    """Where the lines are split: the held-out stretch ends the training lines.

    Attributes:
        held_out, test: first line of either side. total: lines.
    """

    held_out: int
    test: int
    total: int

    @classmethod
    def of(cls, lines: Lines, protocol: EvaluationProtocol) -> Cuts:
        """Count the lines, and cut them by `train_ratio` and `held_out`."""
        total = int(lines.frame.select(pl.len()).collect(engine="streaming").item())
        test = round(protocol.train_ratio * total)
        return cls(test - round(protocol.held_out * test), test, total)

    def sides(self, lines: NDArray[np.int64]) -> NDArray[np.int8]:
        """Side of each line number: 0 training, 1 held out, 2 test."""
        return np.searchsorted([self.held_out, self.test], lines, side="right").astype(np.int8)

    def counted(self) -> Mapping[str, int]:
        """Lines of each side, for the record."""
        return {
            "train_lines": self.held_out,
            "held_out_lines": self.test - self.held_out,
            "test_lines": self.total - self.test,
        }


class Cutting:
    """A windower whose units end at the cuts: their names begin with that of their side."""

    def __init__(self, windower: Windower, cuts: Cuts) -> None:
        self.windower, self.cuts = windower, cuts

    def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        """See `Windower.assign`."""
        line, held_out, test = pl.col("line"), self.cuts.held_out, self.cuts.test
        side = (line >= held_out).cast(pl.Int8) + (line >= test).cast(pl.Int8)
        begin = pl.when(line >= test).then(test).when(line >= held_out).then(held_out).otherwise(0)
        assigned = self.windower.assign(
            lines.with_columns(side=side, place=(line - begin.cast(pl.UInt32)).cast(pl.UInt32))
        )
        name = side.replace_strict(dict(enumerate(SIDES)), return_dtype=pl.String)
        return assigned.with_columns(unit=name + " " + pl.col("unit"))
