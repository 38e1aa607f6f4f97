"""Wrong windowers: see `mutants`."""

from __future__ import annotations

from typing import Any

import polars as pl
from broken import Windower, window

from logbench import WindowerTraits

STRETCHES = WindowerTraits(line_windows=True, unit="window")


def named(number: pl.Expr) -> pl.Expr:
    return pl.format("w{}", number)


class Counting(Windower):
    """Windows of ten lines, counted anew wherever the log is cut."""

    def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        return lines.with_columns(unit=named(pl.int_range(pl.len()) // 10))


class Undeclared(Windower):
    """Windows of ten lines, said to be units like any other."""

    def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        return lines.with_columns(unit=named(pl.col("line") // 10))


class Overlapping(Windower):
    """Windows of twenty lines, every ten."""

    def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        numbers = pl.concat_list(pl.col("line") // 10, pl.col("line") // 10 + 1)
        return lines.with_columns(unit=numbers).explode("unit").with_columns(unit=named(pl.col("unit")))


class Hourly(Windower):
    """Windows of an hour that are said to be over after a minute."""

    silence = 60.0

    def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        return lines.with_columns(unit=pl.col("time").dt.truncate("1h").cast(pl.String))


class Endless(Hourly):
    """The same, without a word on when a window is over."""

    silence = None  # type: ignore[assignment]


def by_label(good: pl.LazyFrame, given: pl.LazyFrame) -> pl.LazyFrame:
    """Anomalous lines are units of their own, wherever labels are to be had."""
    if "label" not in given.collect_schema():
        return good
    return good.with_columns(unit=pl.when(pl.col("label") == 1).then(pl.format("a{}", "line")).otherwise("unit"))


def by_raw(good: pl.LazyFrame, given: pl.LazyFrame) -> pl.LazyFrame:
    """The first character of the raw line, which may be its label."""
    return good.with_columns(unit=pl.col("raw").str.head(1)) if "raw" in given.collect_schema() else good


def whole_tens(good: pl.LazyFrame, given: pl.LazyFrame) -> pl.LazyFrame:
    """The last window, where it is not full, is left out."""
    return good.filter(pl.col("line") < given.select(pl.len()).collect().item() // 10 * 10)


def by_time(good: pl.LazyFrame, given: pl.LazyFrame) -> pl.LazyFrame:
    return good.sort("time", maintain_order=True)


def with_a_message(good: pl.LazyFrame, given: pl.LazyFrame) -> pl.LazyFrame:
    return good.filter(pl.col("message").is_not_null())


def exploded(good: pl.LazyFrame, given: pl.LazyFrame) -> pl.LazyFrame:
    """A line without an id is dropped where no id is null but for that."""
    return given.filter(pl.col("id").is_not_null()).with_columns(unit=pl.col("id").list.first())


class TwoDigits(Windower):
    """Windows of ten lines, the hundredth of which is called as the first."""

    def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        return lines.with_columns(unit=named(pl.col("line") // 10 % 100))


class ByHour(Windower):
    """Windows of an hour that are called by the hour of the day."""

    def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        return lines.with_columns(unit=pl.col("time").dt.hour().cast(pl.String))


class Unsigned(Windower):
    """An id is its letters and digits."""

    def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        return lines.with_columns(unit=pl.col("node").str.replace_all("[^0-9A-Za-z]", ""))


class Short(Windower):
    """The first 64 characters of an id."""

    def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        return lines.with_columns(unit=pl.col("node").str.head(64))


class Pieces(Windower):
    """Pieces of ten lines of a node, said to be ids themselves."""

    piecewise = False

    def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        number = pl.int_range(pl.len()).over("node") // 10
        return lines.with_columns(unit=pl.format("{}#{}", "node", number))

    def label_of(self, unit: str) -> Any:
        return unit


class Untold(Pieces):
    """The same, with labels under no id."""

    def label_of(self, unit: str) -> Any:
        return None


class FirstId(Windower):
    """A unit an id, said to be all that a line names."""

    id_column = "id"

    def assign(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        return lines.with_columns(unit=pl.col("id").list.first())


ADVISED: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "drops signs from ids": ("names", Unsigned, {}),
    "cuts ids": ("names", Short, {}),
}

WINDOWERS: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "counts from wherever the log is cut": ("pieces", Counting, {"traits": STRETCHES}),
    "windows of lines that are not declared": ("stretches", Undeclared, {"traits": WindowerTraits()}),
    "windows that overlap undeclared": ("overlaps", Overlapping, {"traits": STRETCHES}),
    "calls windows by two digits": ("whole", TwoDigits, {"traits": STRETCHES}),
    "calls windows by the hour of the day": ("whole", ByHour, {"traits": STRETCHES}),
    "takes pieces for ids": ("label-of", Pieces, {}),
    "names a column and takes its first value": ("id-column", FirstId, {}),
    "tells no id of a piece": ("label-of", Untold, {}),
    "silence shorter than its windows": ("silence", Hourly, {"traits": STRETCHES}),
    "makes units of labels": ("labels", window(by_label), {}),
    "makes units of the raw line": ("labels", window(by_raw), {}),
    "loses the last window": ("sizes", window(whole_tens), {}),
    "sorts lines by time": ("sizes", window(by_time), {}),
    "loses lines without a message": ("sizes", window(with_a_message), {}),
    "loses lines without an id": ("sizes", window(exploded), {}),
}
