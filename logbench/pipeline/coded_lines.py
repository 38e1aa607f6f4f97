"""Encode lines by the compiled kernel, where data set, windower and parser say all that it needs.

Which way is taken is known before reading, and both give the same frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from ..api.contracts import Parser, Windower
from ..api.optional import GroupsByColumn
from ..base.byte_patterns import table
from ..base.kernel import Kernel, Rules, kernel
from ..base.look_ahead import ahead
from ..data.kept import masked
from .windower_input import check_numbers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..data.line_rules import LineRules
    from ..data.lines import Lines

# Lines that are coded at once: more take more memory, fewer repeat more names.
BATCH = 65_536
# A replacement that polars reads as it stands, and that makes no shape much longer than its message.
LONGEST = 16


def shape_of(text: pl.Expr, parser: Parser, keyed: bool) -> pl.Expr:
    """The shape of a message, Categorical; a message that is null has the shape of the empty one.

    Args:
        keyed: whether messages may hold `kept.KEPT`.
    """
    shape = pl.Categorical(pl.Categories.random())
    rules, found = _shape_rules(parser), kernel()
    if keyed or rules is None or found is None:
        return masked(text.fill_null(""), parser.shape, keyed).cast(shape)
    coded = partial(_coded_shapes, found, rules, shape)
    return text.map_batches(coded, return_dtype=shape, is_elementwise=True)


@dataclass(frozen=True)
class Coder:
    """Reads the events of lines that have `rules`, a line once for each distinct id."""

    lines: Lines
    rules: LineRules
    coding: Rules
    kernel: Kernel

    def batches(self, times: bool) -> Iterator[tuple[int, pl.DataFrame]]:
        """Lines read so far, and bounded frames as `coding.batches` gives them.

        Raises:
            PluginError: the lines are not numbered from 0.
        """
        coding = self.coding if times else replace(self.coding, stamp=0)
        names = pl.Categorical(pl.Categories.random()), pl.Categorical(pl.Categories.random())
        source = self.rules.source.select("line", "raw")
        batches = source.collect_batches(chunk_size=BATCH, maintain_order=True)
        done = 0
        for line, frame in ahead(partial(self._frame, coding, names), batches):
            check_numbers(line, done, self.lines.files)
            done += len(line)
            yield done, frame

    def _frame(
        self, rules: Rules, names: tuple[pl.Categorical, pl.Categorical], batch: pl.DataFrame
    ) -> tuple[pl.Series, pl.DataFrame]:
        coded = self.kernel.code(batch["raw"], rules)
        columns = [
            batch["line"].gather(coded.text),
            _gathered(coded.ids.cast(names[0]), coded.id).alias("unit"),
            _gathered(coded.shapes.cast(names[1]), coded.shape).alias("shape"),
        ]
        if rules.stamp:
            times = coded.stamps.to_frame("stamp").select(time=self.rules.time_of(pl.col("stamp"))).to_series()
            columns.append(_gathered(times, coded.stamp))
        return batch["line"], pl.DataFrame(columns)


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


def _coded_shapes(found: Kernel, rules: Rules, dtype: pl.Categorical, text: pl.Series) -> pl.Series:
    coded = found.code(text, rules)
    return _gathered(coded.shapes.cast(dtype), coded.shape).alias(text.name)


def _gathered(names: pl.Series, numbers: NDArray[np.int32]) -> pl.Series:
    """Names by number, null for −1."""
    return names.gather(pl.Series(numbers).cast(pl.UInt32, strict=False))
