"""Split the lines of each node or file by time, where clocks differ or one file follows another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ..api.contracts import Windower
from ..api.protocol import EvaluationProtocol
from ..base.errors import IncompatibleError
from ..data.lines import Lines
from .line_split import ORDER, SIDES, Cuts

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class GroupCuts:
    """Lines that split each group's lines into training, held-out, reserved and test lines.

    Attributes:
        column: `node` or `file`; lines without a value are a group together.
        firsts: `group` (String) and the number of its first line on each side after the first: `held_out`,
            `reserved`, `test` (Int64).
        counts: lines of each side, for the record.
    """

    column: str
    firsts: pl.DataFrame
    counts: Mapping[str, int]

    @classmethod
    def of(cls, lines: Lines, protocol: EvaluationProtocol) -> GroupCuts:
        """Cut each group by `train_ratio`, `held_out` and `test_reserve`, as `Cuts.of` does all lines.

        Raises:
            IncompatibleError: the lines have no such column.
        """
        check_column(lines, protocol)
        read = lines.frame.select("line", group=named(protocol.cut)).collect(engine="streaming")
        rows, totals = [], dict[str, int]()
        for (group,), own in read.group_by("group", maintain_order=True):
            cuts, numbers = Cuts.of_total(len(own), protocol), own["line"].to_numpy()
            firsts = [int(numbers[at]) if at < len(numbers) else len(read) for at in cuts.begins]
            rows.append((group, *firsts))
            for name, number in cuts.counted().items():
                totals[name] = totals.get(name, 0) + number
        schema = {"group": pl.String, "held_out": pl.Int64, "reserved": pl.Int64, "test": pl.Int64}
        return cls(protocol.cut, pl.DataFrame(rows, schema=schema, orient="row"), totals)

    def splitting(self, windower: Windower) -> Windower:
        """The windower, its units cut at the cuts."""
        return _Splitting(windower, self)

    def unit_sides(self, units: pl.DataFrame) -> NDArray[np.int8]:
        """Side of each unit, int8 [units], by the word that its name begins with."""
        words = units["unit"].str.split_exact(" ", 1).struct.field("field_0")
        sides: NDArray[np.int8] = words.replace_strict(
            list(SIDES), range(len(SIDES)), return_dtype=pl.Int8
        ).to_numpy()
        return sides

    def counted(self) -> Mapping[str, int]:
        """Count the lines of each side, for the record."""
        return self.counts


class _Splitting:
    """Wraps a windower so that units end at the cuts of groups. The side's name begins the names of its units."""

    def __init__(self, windower: Windower, cuts: GroupCuts) -> None:
        self.windower, self.cuts = windower, cuts

    def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        """See `Windower.assign`."""
        group, firsts = named(self.cuts.column), self.cuts.firsts
        side = pl.lit(ORDER[0], pl.Int8)
        for number, name in zip(ORDER[1:], ("held_out", "reserved", "test"), strict=True):
            first = group.replace_strict(firsts["group"], firsts[name], return_dtype=pl.Int64)
            side = pl.when(pl.col("line") >= first).then(pl.lit(number, pl.Int8)).otherwise(side)
        assigned = self.windower.assign(lines.with_columns(side=side))
        word = pl.col("side").replace_strict(dict(enumerate(SIDES)), return_dtype=pl.String)
        return assigned.with_columns(unit=word + " " + pl.col("unit"))


class Grouping:
    """Wraps a windower so that units have the node or file of their first line as group."""

    def __init__(self, windower: Windower, column: str) -> None:
        self.windower, self.column = windower, column

    def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        """See `Windower.assign`."""
        return self.windower.assign(lines).with_columns(group=named(self.column))


def named(column: str) -> pl.Expr:
    """The group of each line, String; empty where it has none."""
    return pl.col(column).cast(pl.String).fill_null("")


def check_column(lines: Lines, protocol: EvaluationProtocol) -> None:
    """Refuse lines that lack the column by which the protocol cuts.

    Raises:
        IncompatibleError: they do.
    """
    if protocol.cut not in (schema := lines.frame.collect_schema()) or protocol.cut not in lines.shown:
        raise IncompatibleError(
            f"protocol.cut={protocol.cut} needs lines with a {protocol.cut}, here they have {', '.join(schema)}"
        )
