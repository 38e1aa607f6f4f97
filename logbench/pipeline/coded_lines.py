"""Encode lines by the compiled kernel, where data set, windower and parser say all that it needs.

Which way is taken is known before reading, and both give the same events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ..api.contracts import Parser, Windower
from ..api.optional_windowers import GroupsByColumn
from ..base.byte_patterns import table
from ..base.errors import DataError
from ..base.kernel import Coded, Kernel, Rules, kernel
from ..base.look_ahead import ahead
from ..base.progress import Progress
from ..data.kept import masked
from .encoded_lines import EncodedLines, Events, no_line
from .line_clock import LineClock

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..data.line_rules import LineRules
    from ..data.lines import Lines

# Lines that have a number, uint32.
MOST = (1 << 32) - 1
# A replacement that polars reads as it stands, and that makes no shape much longer than its message.
LONGEST = 16


def shape_of(text: pl.Expr, parser: Parser, keyed: bool) -> pl.Expr:
    """The shape of a message, Categorical; a message that is null has the shape of the empty one.

    Args:
        keyed: whether messages may hold `kept.KEPT`.
    """
    shape = pl.Categorical(pl.Categories.random())
    rules, found = _shape_rules(parser), kernel()
    if keyed:
        once = partial(_masked_once, parser.shape, shape)
        return text.fill_null("").map_batches(once, return_dtype=shape, is_elementwise=True)
    if rules is None or found is None:
        return masked(text.fill_null(""), parser.shape, False).cast(shape)
    coded = partial(_coded_shapes, found, rules, shape)
    return text.map_batches(coded, return_dtype=shape, is_elementwise=True)


@dataclass(frozen=True)
class Coder:
    """Reads the events of lines that have `rules`, a line once for each distinct id."""

    lines: Lines
    rules: LineRules
    coding: Rules
    kernel: Kernel

    def read(self, progress: Progress, times: bool, estimate: float | None = None) -> EncodedLines:
        """What `coding.read_lines` gives.

        Threads code chunks of the source, each with numbers of its own, which this one makes those of all.

        Raises:
            DataError: there is no line, none has an id, or there are more lines than numbers.
        """
        coding = self.coding if times else replace(self.coding, stamp=0)
        units, shapes, events, clock = self.kernel.names(), self.kernel.names(), Events(), LineClock()
        lines = without = 0
        for coded, moments in ahead(partial(self._coded, coding), self.rules.source.valid()):
            first, lines, without = lines, lines + coded.texts, without + coded.without
            if lines > MOST:
                raise DataError(f"{self._where}: more than {MOST:,} lines; read it in parts")
            progress(lines, max(estimate, lines) if estimate else None, "lines")
            columns = {"line": coded.text + np.uint32(first), "id": coded.id, "shape": coded.shape}
            if moments is not None:
                columns["time"] = clock.fill(moments[coded.stamp])
            if coded.without:
                named = coded.id >= 0
                columns = {name: column[named] for name, column in columns.items()}
            unit, shape = units.join(coded.ids)[columns.pop("id")], shapes.join(coded.shapes)[columns["shape"]]
            if len(unit):
                events.add(len(units), unit, **{**columns, "shape": shape})
        if not lines:
            raise no_line(self.lines.files)
        return events.done(units.series(), shapes.series(), lines, without, clock.first, last_time=clock.last)

    @property
    def _where(self) -> str:
        return ", ".join(map(str, self.lines.files))

    def _coded(self, rules: Rules, chunk: bytes) -> tuple[Coded, NDArray[np.int64] | None]:
        """The events of a chunk, and the times of its stamps."""
        coded = self.kernel.code_lines(chunk, rules)
        if not rules.stamp:
            return coded, None
        stamps = coded.stamps.series().to_frame("stamp")
        return coded, LineClock.numbers(stamps.select(self.rules.time_of(pl.col("stamp"))).to_series())


def coder_of(lines: Lines, windower: Windower, parser: Parser) -> Coder | None:
    """What reads these lines by the kernel; None where polars does."""
    rules, found = lines.rules, kernel()
    if rules is None or found is None or lines.frame is not rules.frame:
        return None
    shape, ids = _shape_rules(parser), table(rules.id_pattern)
    if shape is None or ids is None or "id" not in lines.shown or id_column_of(windower) != "id":
        return None
    return Coder(lines, rules, replace(shape, after=rules.after, id=ids, stamp=rules.stamp), found)


def _shape_rules(parser: Parser) -> Rules | None:
    """The rules of a parser's shape; None where the kernel has none."""
    pairs: Sequence[tuple[str, str]] = parser.shape
    if not pairs:
        return Rules()
    found = table(pairs[0][0]) if len(pairs) == 1 else None
    put = pairs[0][1]
    return None if found is None or "$" in put or len(put.encode()) > LONGEST else Rules(shape=found, put=put)


def id_column_of(windower: Windower) -> str:
    """The column whose values are the units, where the class that assigns says so."""
    for kind in type(windower).__mro__:
        if "assign" in vars(kind):
            found: object = windower if "id_column" in vars(kind) else None
            return found.id_column if isinstance(found, GroupsByColumn) else ""
    return ""


def _masked_once(pairs: Sequence[tuple[str, str]], dtype: pl.Categorical, text: pl.Series) -> pl.Series:
    """Shapes of messages with a part that stays, each distinct one masked once: keys have few."""
    codes = text.cast(pl.Categorical(pl.Categories.random()))
    distinct = codes.unique().to_frame("code").sort(pl.col("code").to_physical())
    shapes = distinct.select(masked(pl.col("code").cast(pl.String), pairs, True).cast(dtype)).to_series()
    number = np.searchsorted(distinct["code"].to_physical().to_numpy(), codes.to_physical().to_numpy())
    return shapes.gather(number).alias(text.name)


def _coded_shapes(found: Kernel, rules: Rules, dtype: pl.Categorical, text: pl.Series) -> pl.Series:
    coded = found.code(text, rules)
    return _gathered(coded.shapes.series().cast(dtype), coded.shape).alias(text.name)


def _gathered(names: pl.Series, numbers: NDArray[np.int32]) -> pl.Series:
    """Names by number, null for −1."""
    return names.gather(pl.Series(numbers).cast(pl.UInt32, strict=False))
