"""Stages read and group: raw lines → units of coded lines, in one streaming pass over the file.

A line's message is reduced to its shape, lines get their units, both become small integers, and only the
distinct shapes (some 70 for 11 million HDFS lines) meet the parser's masks. Nothing is parsed yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from .errors import DataError, PluginError
from .frames import KeySequences, Lines
from .interfaces import Parser, Progress, Windower

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Grouped:
    """Units of coded lines.

    Attributes:
        units: one row a unit in order of first line: `unit` (String), `label` (Int8, −1 unknown),
            `first_line`, `last_line` (Int64), and `part` (String) where the data set gives it.
        offsets: int64 [units + 1], where each unit's events begin.
        codes: int32 [events], row of `messages` for each event.
        lines: int64 [events], line number of each event; for key sequences the event's position.
        messages: String, distinct masked messages in first-seen order.
        times: int64 [events], microseconds since 1970, or None.
        line_labels: int8 [events], or None.
        facts: counts for the record: `lines`, `events`, `lines_without_unit`, `labels_without_unit`, …
        sequences: the data set came as key sequences, without raw lines.
    """

    units: pl.DataFrame
    offsets: NDArray[np.int64]
    codes: NDArray[np.int32]
    lines: NDArray[np.int64]
    messages: pl.Series
    times: NDArray[np.int64] | None = None
    line_labels: NDArray[np.int8] | None = None
    facts: Mapping[str, int] = field(default_factory=dict)
    sequences: bool = False

    def __len__(self) -> int:
        return len(self.units)


def apply(message: pl.Expr, pairs: Iterable[tuple[str, str]]) -> pl.Expr:
    """`message` with each (regular expression, replacement) applied in order."""
    for pattern, replacement in pairs:
        message = message.str.replace_all(pattern, replacement)
    return message


def read_lines(
    lines: Lines, windower: Windower, parser: Parser, progress: Progress, times: bool, first: int = 0
) -> pl.DataFrame:
    """One pass over the lines: columns `line` (UInt32), `unit` and `shape` (Categorical), and `time`, `label`.

    A line of several units stands once for each; a line of none has a null unit. A line without a message has
    an empty one.
    """
    shapes, names = pl.Categories.random(), pl.Categories.random()
    shape = apply(pl.col("message").fill_null(""), parser.shape).cast(pl.Categorical(shapes))
    assigned = windower.assign(lines.frame.with_columns(shape=shape))
    schema = assigned.collect_schema()
    extra = [name for name, wanted in (("time", times), ("label", True)) if wanted and name in schema]
    chosen = assigned.select("line", pl.col("unit").cast(pl.Categorical(names)), "shape", *extra)
    parts, done = [], 0
    total = _estimate(lines)
    for batch in chosen.collect_batches(chunk_size=500_000, maintain_order=True):
        parts.append(batch)
        done += len(batch)
        progress(done, max(total, done) if total else None, "lines")
    if not parts or not done:
        where = ", ".join(map(str, lines.files)) or "the data set"
        raise DataError(f"{where}: no line to read; is the file empty?")
    read = pl.concat(parts, rechunk=False)
    if not lines_complete(read["line"], first):
        raise PluginError("the windower dropped or reordered lines; one without a unit must keep a null unit")
    return _filled(read)


def _filled(read: pl.DataFrame) -> pl.DataFrame:
    """No nulls: a line without time has that of the line before (none at all: no times), a label is unknown."""
    if "label" in read.columns and read["label"].null_count():
        read = read.with_columns(pl.col("label").fill_null(-1))
    if "time" in read.columns and (missing := read["time"].null_count()):
        if missing == len(read):
            return read.drop("time")
        read = read.with_columns(pl.col("time").fill_null(strategy="forward").fill_null(strategy="backward"))
    return read


def lines_complete(line: pl.Series, first: int = 0) -> bool:
    """Whether line numbers begin at `first` and never skip or go back."""
    steps = np.diff(line.to_numpy())  # unsigned: a step back is a huge one
    return bool(line[0] == first and (not len(steps) or steps.max() <= 1))


def _estimate(lines: Lines) -> float | None:
    """About how many lines there are, from the beginning of the largest file: only for the progress bar."""
    try:
        path = max(lines.files, key=lambda file: file.stat().st_size)
        with path.open("rb") as file:
            head = file.read(1 << 16)
        if b"\0" in head or not head.count(b"\n"):
            return None  # packed, or no lines
        return path.stat().st_size * head.count(b"\n") / len(head)
    except (OSError, ValueError):
        return None


def group_lines(read: pl.DataFrame, parser: Parser, labels: Callable[[], pl.DataFrame] | None = None) -> Grouped:
    """Sort what `read_lines` gave into units, ordered by first line; mask the distinct shapes.

    The labels are read and the messages masked beside the sorting, in a thread each.

    Raises:
        DataError: no line belongs to any unit, a unit has two labels, or no unit has one though labels are there.
    """
    total = int(read["line"].max()) + 1  # type: ignore[arg-type]
    inside = read.filter(pl.col("unit").is_not_null()) if read["unit"].null_count() else read
    if not len(inside):
        raise DataError(f"none of the {total:,} lines belongs to a unit: wrong data set or windower for this log?")
    with ThreadPoolExecutor(2) as beside:
        labelled = beside.submit(labels) if labels else None
        masked = beside.submit(_messages, inside["shape"], parser)
        unit, names = _renumber(inside["unit"])
        order, offsets = _sorted_by_unit(unit, len(names))
        codes, messages = masked.result()
    lines = inside["line"].to_numpy()[order].astype(np.int64)
    line_labels = inside["label"].to_numpy()[order] if "label" in inside.columns else None
    times = inside["time"].to_physical().to_numpy()[order] if "time" in inside.columns else None
    units = pl.DataFrame({"unit": names}).with_columns(
        first_line=pl.Series(lines[offsets[:-1]]), last_line=pl.Series(lines[offsets[1:] - 1])
    )
    units, label_facts = _with_labels(units, labelled.result() if labelled else None, line_labels, offsets)
    without = total - 1 - int(np.count_nonzero(np.diff(inside["line"].to_numpy())))  # lines come in order
    facts = {"lines": total, "events": len(inside), "lines_without_unit": without, **label_facts}
    return Grouped(units, offsets, codes[order], lines, messages, times, line_labels, facts)


def _messages(shape: pl.Series, parser: Parser) -> tuple[NDArray[np.int32], pl.Series]:
    """Code of each event's masked message, and the distinct messages in first-seen order."""
    shape_code, shapes = _renumber(shape)
    masked = pl.DataFrame({"shape": shapes}).select(message=apply(pl.col("shape"), parser.masks))
    distinct = masked.unique(maintain_order=True)
    numbered = distinct.with_row_index("code")
    code = masked.join(numbered, on="message", how="left", maintain_order="left", nulls_equal=True)["code"]
    return code.cast(pl.Int32).to_numpy()[shape_code], distinct["message"]


def _renumber(column: pl.Series) -> tuple[NDArray[np.int32], pl.Series]:
    """Categories numbered in first-seen order (their own codes depend on which thread came first)."""
    physical = column.to_physical().to_numpy()
    size = int(physical.max()) + 1
    first = np.full(size, -1, dtype=np.int64)
    first[physical[::-1]] = np.arange(len(physical) - 1, -1, -1)
    present = np.flatnonzero(first >= 0)
    order = present[np.argsort(first[present])]
    number = np.empty(size, dtype=np.int32)
    number[order] = np.arange(len(order), dtype=np.int32)
    return number[physical], column.gather(first[order]).cast(pl.String)


def _sorted_by_unit(unit: NDArray[np.int32], units: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Event order by unit, line order kept within each, and the units' offsets."""
    sizes = np.bincount(unit, minlength=units)
    return np.argsort(unit, kind="stable"), np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _with_labels(
    units: pl.DataFrame,
    labels: pl.DataFrame | None,
    line_labels: NDArray[np.int8] | None,
    offsets: NDArray[np.int64],
) -> tuple[pl.DataFrame, dict[str, int]]:
    if labels is not None:
        if twice := labels.filter(pl.col("unit").is_duplicated())["unit"].head(1).to_list():
            raise DataError(f"the labels name unit {twice[0]} twice; keep one label for each unit")
        units = units.join(labels.select("unit", "label"), on="unit", how="left", maintain_order="left")
        units = units.with_columns(pl.col("label").fill_null(-1).cast(pl.Int8))
        extra = labels.join(units, on="unit", how="anti").height
        if len(labels) and extra == len(labels):
            raise DataError(
                f"none of the {extra:,} labels names a unit of this log ({labels['unit'][0]} against "
                f"{units['unit'][0]}, say): are they those of another log?"
            )
    else:
        worst = np.maximum.reduceat(line_labels, offsets[:-1]) if line_labels is not None else None
        units = units.with_columns(
            label=pl.Series(worst, dtype=pl.Int8) if worst is not None else pl.lit(-1, pl.Int8)
        )
        extra = 0
    unknown = int((units["label"] < 0).sum())
    return units, {"labels_without_unit": extra, "units_without_label": unknown}


def group_sequences(data: KeySequences) -> Grouped:
    """A data set that came as key sequences, in the same form: its keys are the messages."""
    frame = data.frame
    lengths = frame["keys"].list.len().cast(pl.Int64).to_numpy()
    flat = frame["keys"].explode(empty_as_null=False).cast(pl.String)
    if not len(flat):
        raise DataError(f"{', '.join(map(str, data.files)) or 'the data set'}: no key to read; is the file empty?")
    codes, messages = _renumber(flat.cast(pl.Categorical(pl.Categories.random())))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    label = pl.col("label").fill_null(-1).cast(pl.Int8) if "label" in frame.columns else pl.lit(-1, pl.Int8)
    units = frame.select("unit", label.alias("label"), *(["part"] if "part" in frame.columns else []))
    units = units.with_columns(first_line=pl.Series(offsets[:-1]), last_line=pl.Series(offsets[1:] - 1))
    facts = {"lines": 0, "events": len(codes), "units_without_label": int((units["label"] < 0).sum())}
    lines = np.arange(len(codes), dtype=np.int64)
    return Grouped(units, offsets, codes, lines, messages, facts=facts, sequences=True)
