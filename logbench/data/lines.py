"""Lines of a log, or key sequences, as a data set gives them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from ..base.errors import DataError, PluginError

if TYPE_CHECKING:
    from .line_format import LineFormat
    from .line_rules import LineRules


# Columns that a `Lines` frame may have: `line` and `message` always, `raw` the line as it stands in the file,
# `group` what units have in common, such as the host or job that they come from, `key` what makes the event's key
# where that is not the message: a text that stays as it is, `kept.KEPT`, and a text that is parsed.
LINE_SCHEMA: Mapping[str, pl.DataType] = {
    "line": pl.UInt32(),
    "message": pl.String(),
    "raw": pl.String(),
    "time": pl.Datetime("us"),
    "level": pl.String(),
    "component": pl.String(),
    "node": pl.String(),
    "file": pl.String(),
    "group": pl.String(),
    "label": pl.Int8(),
    "key": pl.String(),
}
# Columns that a windower sees beside `line` and `message`: never a label, nor `raw`, which may begin with one.
SHOWN = ("time", "level", "component", "node", "file", "group", "id")


@dataclass(frozen=True)
class Lines:
    """Raw log lines as a lazy, re-iterable frame: a file larger than memory is the same code.

    Attributes:
        frame: columns of `LINE_SCHEMA`; `line` counts from 0 in reading order. Others may stand beside them.
        files: the files read, for the digest.
        labels: data set labels by unit, columns `unit` (String) and `label` (Int8: 0 normal, 1 anomaly), or
            None. A callable defers the reading.
        counted: what the reader met, name → number of lines (`undecodable_lines`); asked once all were read.
        form: how lines were declared, where they were: tells where a log that comes in pieces may be cut.
        shown: columns that a windower sees beside `line` and `message`. Add what units may be made by, and leave
            out what tells the label, such as the name of a file of abnormal lines. All others stay hidden.
        digest: of lines that no file holds, in place of one of `files`.
        types: gives what kind of anomaly it is, column `type` (String) beside `unit`, or beside `line` (UInt32)
            where labels are of lines. Evaluators alone get it (`NeedsKinds`).
        parts: gives `unit` and `part` (String: `train` or `test`) where the data name their training part.
        rules: where `frame` is `rules.frame`, what the compiled kernel may read in its place.
    """

    frame: pl.LazyFrame
    files: Sequence[Path] = ()
    labels: Callable[[], pl.DataFrame] | None = None
    counted: Callable[[], Mapping[str, int]] | None = None
    form: LineFormat | None = None
    shown: Sequence[str] = SHOWN
    digest: str = ""
    rules: LineRules | None = None
    types: Callable[[], pl.DataFrame] | None = None
    parts: Callable[[], pl.DataFrame] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.frame, pl.LazyFrame):
            raise PluginError(f"Lines need a LazyFrame, got {type(self.frame).__name__}")
        schema = self.frame.collect_schema()
        for name in ("line", "message"):
            if name not in schema:
                raise PluginError(f"Lines need column {name!r}, got {', '.join(schema.names())}")
        for name, dtype in LINE_SCHEMA.items():
            if name in schema and schema[name] != dtype:
                raise PluginError(f"Lines column {name!r} must be {dtype}, got {schema[name]}")
        if secret := {"label", "raw", "key"}.intersection(self.shown):
            raise PluginError(f"Lines.shown: column {min(secret)!r} may tell the label and is never shown")

    def located(self) -> pl.LazyFrame:
        """`number` (Int64, of each line from 0), `raw`, `text`, and `file` and `line` (Int64, from 1), its place.

        Where the reader tells no place (columns `file` and `at`), `file` is null and `line` counts all lines.
        `text` is what the line says without what all lines begin with: level, component, message.
        `time` and `node` are null where lines have none.
        """
        schema = self.frame.collect_schema()
        placed = {"file", "at"} <= set(schema.names())
        return self.frame.select(
            number=pl.col("line").cast(pl.Int64),
            raw="raw" if "raw" in schema else "message",
            text=text_of(self),
            file=pl.col("file") if placed else pl.lit(None, pl.String),
            line=(pl.col("at") if placed else pl.col("line") + 1).cast(pl.Int64),
            time="time" if "time" in schema else pl.lit(None, pl.Datetime("us")),
            node=pl.col("node").cast(pl.String) if "node" in schema else pl.lit(None, pl.String),
        )

    def batches(self, size: int = 262_144) -> Iterator[pl.DataFrame]:
        """Bounded batches of at most `size` lines, in order; each call reads anew."""
        return iter(self.frame.collect_batches(chunk_size=size, maintain_order=True))


def text_of(lines: Lines) -> pl.Expr:
    """What a line says without what all lines begin with, see `Lines.located`."""
    schema = lines.frame.collect_schema()
    head = [pl.col(name) for name in ("level", "component") if name in schema]
    message = pl.col("message")
    if lines.form is not None and "{" in lines.form.message and "raw" in schema:
        # the message has few of the line's fields: what stands from the first of them on says more
        first = message.str.split(" ").list.first()
        rest = pl.col("raw").str.splitn(first, 2).struct.field("field_1")
        message = pl.when(first.str.len_chars() > 2).then(first + rest).fill_null(message)
    return pl.concat_str(*head, message, separator=" ", ignore_nulls=True)


@dataclass(frozen=True)
class KeySequences:
    """A data set that comes as key sequences and so enters after parsing.

    Attributes:
        frame: columns `unit` (String), `keys` (List[Int64]), and where known `label` (Int8), `part`
            (String: `train` or `test`) and `group` (String: what units have in common, such as a host or job), one
            row a unit in file order.
        files: the files read, for the digest.
        digest: of key sequences that no file holds, in place of one of `files`.
        types: see `Lines.types`, beside `unit`.
    """

    frame: pl.DataFrame
    files: Sequence[Path] = ()
    digest: str = ""
    types: Callable[[], pl.DataFrame] | None = None

    def __post_init__(self) -> None:
        wanted: dict[str, pl.DataType] = {"unit": pl.String(), "keys": pl.List(pl.Int64())}
        if "group" in self.frame.columns:
            wanted["group"] = pl.String()
        for name, dtype in wanted.items():
            if self.frame.schema.get(name) != dtype:
                raise PluginError(
                    f"KeySequences column {name!r} must be {dtype}, got {self.frame.schema.get(name)}"
                )
        if self.frame["keys"].null_count():
            raise DataError("KeySequences: a unit without a list of keys; give it an empty list")
        if int(self.frame["keys"].list.len().sum()) != int(self.frame["keys"].list.drop_nulls().list.len().sum()):
            raise DataError("KeySequences: a list of keys holds a null; leave the event out or give it a key")
