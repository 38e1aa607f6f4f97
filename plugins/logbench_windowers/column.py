"""Units by the value of a column; and helpers of the other windowers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import polars as pl
from polars.io.plugins import register_io_source

from logbench import IncompatibleError

# Lines a frame.
FRAME = 100_000
Step = Callable[[pl.DataFrame], pl.DataFrame]


class Column:
    """Makes one unit of each value of the column `name` (String); a line without a value has no unit."""

    def __init__(self, name: str) -> None:
        self.name = name

    def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        """Add `unit`.

        Raises:
            IncompatibleError: the lines have no such column.
        """
        require(lines, self.name)
        return grouped_by(lines.with_columns(unit=pl.col(self.name)), self.name)


def require(lines: pl.LazyFrame, name: str) -> None:
    """Check that the lines have the column `name`.

    Raises:
        IncompatibleError: they have not.
    """
    if name not in (schema := lines.collect_schema()):
        raise IncompatibleError(
            f"windows by {name} need lines with a {name}, here they have {', '.join(schema.names())}"
        )


def grouped_by(lines: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """`lines` with the column `name` as the group of their units, unless the data set names a group."""
    return lines if "group" in lines.collect_schema() else lines.with_columns(group=pl.col(name))


def in_windows(lines: pl.LazyFrame, windows: tuple[pl.Expr, pl.Expr], within: str, single: bool) -> pl.LazyFrame:
    """`lines`, each once for each of its windows, with their numbers as `unit` (Int64).

    Args:
        windows: number of the first and the last window of each line; null: of none.
        within: a line without a value in this column is of none either; `none`: no such column.
        single: both are always the same.
    """
    first, last = windows
    known = last.is_not_null() if within == "none" else last.is_not_null() & pl.col(within).is_not_null()
    if single:
        return lines.with_columns(unit=pl.when(known).then(last))
    numbers = pl.when(known).then(pl.int_ranges(first, last + 1))
    return lines.with_columns(unit=numbers).explode("unit", empty_as_null=True)


def names(numbers: pl.Expr, name: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    """The names, String, of numbers, each made once where it stands several times in a row."""
    return numbers.map_batches(partial(_names, name), return_dtype=pl.String, is_elementwise=True)


def _names(name: Callable[[pl.Expr], pl.Expr], numbers: pl.Series) -> pl.Series:
    runs = numbers.rle().struct.field("value").to_frame("number")
    return runs.select(name(pl.col("number"))).to_series().gather(numbers.rle_id()).alias(numbers.name)


def in_order(
    lines: pl.LazyFrame, start: Callable[[], Step], needs: Sequence[str], copies: int = 1
) -> pl.LazyFrame:
    """`lines` with a column `unit`, which a function gives to one bounded frame after the other.

    What a window function over all lines would do in memory is so done with what the function remembers.

    Args:
        start: called for each pass, gives the function of that pass: a frame with `unit` beside its columns.
        needs: columns that the function reads.
        copies: at most so many rows come of a line; frames are the smaller.
    """
    size = max(1, FRAME // copies)
    schema = lines.collect_schema()

    def frames(
        columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _: int | None
    ) -> Iterator[pl.DataFrame]:
        step, left = start(), n_rows
        wanted = [name for name in schema if columns is None or name in columns or name in needs]
        for frame in lines.select(wanted).collect_batches(chunk_size=size, maintain_order=True):
            done = step(frame) if left is None else step(frame).head(left)
            left = None if left is None else left - len(done)
            kept = done if predicate is None else done.filter(predicate)
            yield kept if columns is None else kept.select(columns)
            if left == 0:
                return

    return register_io_source(frames, schema={**schema, "unit": pl.String()}, is_pure=True)
