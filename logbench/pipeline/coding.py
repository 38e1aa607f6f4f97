"""Encode lines as integers, batch by batch: units, shapes of messages, times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..api.contracts import Parser, Windower
from ..base.errors import DataError, PluginError
from ..base.progress import Progress
from ..data.categories import FirstSeenCodes
from ..data.event_buffer import EventBuffer
from ..data.lines import Lines
from .assigned_units import AssignedUnits
from .coded_lines import Coder, coder_of, shape_of
from .groups import UnitGroups
from .line_clock import LineClock
from .windower_input import WindowerInput

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class EncodedLines:
    """Coded lines of one pass over the files, in reading order.

    Attributes:
        buffer: columns `unit` and `shape` (int32, numbers of `units` and `shapes`), `line` (uint32), and where
            known `time` (int64, microseconds since 1970) and `label` (int8). A line of several units stands once
            for each.
        sizes: int64 [units], events of each unit.
        units, shapes: String, names in first-seen order.
        lines: lines read: those of a unit, and those of none. without: the latter.
        first_time: what a line has before any that has a time.
        groups: String [units], the group of each unit's first line; None where lines have no groups. mixed: units
            with lines of several groups.
    """

    buffer: EventBuffer
    sizes: NDArray[np.int64]
    units: pl.Series
    shapes: pl.Series
    lines: int
    without: int
    first_time: int | None
    groups: pl.Series | None = None
    mixed: int = 0


def read_lines(lines: Lines, windower: Windower, parser: Parser, progress: Progress, times: bool) -> EncodedLines:
    """One pass over the lines; each of them is in a unit, or counted as one without.

    Raises:
        DataError: there is no line, or none belongs to a unit.
        PluginError: the windower lost lines, or gave others than it was given.
    """
    estimate, coder = _estimate(lines), coder_of(lines, windower, parser)
    if coder is not None:
        return encode_lines(_coded(coder, progress, times, estimate))
    given = given_of(lines, parser)
    read = encode_lines(batches(given, windower, progress, times, estimate))
    if read.lines != given.total:
        raise AssertionError(f"{given.total} lines came in, {read.lines} are in a unit or without: {read}")
    return read


def _coded(coder: Coder, progress: Progress, times: bool, estimate: float | None) -> Iterator[pl.DataFrame]:
    """What `batches` gives, by the kernel."""
    done = 0
    for done, frame in coder.batches(times):
        progress(done, max(estimate, done) if estimate else None, "lines")
        if len(frame):
            yield frame
    if not done:
        raise _no_line(coder.lines.files)


def given_of(lines: Lines, parser: Parser, first: int = 0) -> WindowerInput:
    """The lines as a windower sees them, their messages reduced to shapes; one without a message has an empty one.

    Args:
        first: number of the first line.
    """
    keyed = "key" in lines.frame.collect_schema()
    return WindowerInput(lines, shape_of(pl.col("key" if keyed else "message"), parser, keyed), first)


def batches(
    given: WindowerInput, windower: Windower, progress: Progress, times: bool, estimate: float | None = None
) -> Iterator[pl.DataFrame]:
    """Bounded frames in order of lines: `line` (UInt32), `unit`, `shape` (Categorical), and `time`, `label`
    and `group` where they are known.

    A line of several units stands once for each; a line of none has a null unit.

    Args:
        estimate: about how many lines there are, for `progress`.

    Raises:
        DataError: there is no line.
        PluginError: what the windower gives back are not the lines that it was given.
    """
    try:
        chosen = _chosen(windower.assign(given.frame()), times)
    except pl.exceptions.ColumnNotFoundError as error:
        asked, seen = str(error).partition(";")[0], ", ".join(given.schema)
        raise PluginError(f"the windower: {asked}; it sees {seen} (see Lines.shown)") from error
    assigned = AssignedUnits(given)
    frames = iter(chosen.collect_batches(chunk_size=500_000, maintain_order=True))
    for batch in assigned.follow(frames):
        done = assigned.last + 1 - given.first
        progress(done, max(estimate, done) if estimate else None, "lines")
        yield batch if given.labels is None else batch.with_columns(given.labels.of(batch["line"]))
    if not given.total:
        raise _no_line(given.files)


def _no_line(files: Sequence[Path]) -> DataError:
    where = ", ".join(map(str, files)) or "the data set"
    return DataError(f"{where}: no line to read; is the file empty?")


def _chosen(answer: Any, times: bool) -> pl.LazyFrame:
    """The columns of a windower's answer that go on.

    Raises:
        PluginError: it is no LazyFrame, or lacks one of them.
    """
    if not isinstance(answer, pl.LazyFrame):
        raise PluginError(f"the windower must return a LazyFrame, got {type(answer).__name__}")
    schema = answer.collect_schema()
    if schema.get("unit") not in (pl.String, pl.Categorical):
        raise PluginError(f"the windower must add column 'unit' (String), got {schema.get('unit')}")
    for name in ("line", "shape"):
        if name not in schema:
            raise PluginError(f"the windower must keep every column, there is no {name!r} any more")
    names = pl.Categorical(pl.Categories.random())
    extra: list[Any] = ["time"] if times and "time" in schema else []
    if "group" in schema:
        if schema["group"] not in (pl.String, pl.Categorical):
            raise PluginError(f"the windower's column 'group' must be String, got {schema['group']}")
        extra.append(pl.col("group").cast(pl.Categorical(pl.Categories.random())))
    return answer.select("line", pl.col("unit").cast(names), "shape", *extra)


def encode_lines(frames: Iterable[pl.DataFrame]) -> EncodedLines:
    """Frames of `batches` with units and shapes numbered in first-seen order.

    Raises:
        DataError: no line belongs to a unit.
    """
    units, shapes, groups, buffer = FirstSeenCodes(), FirstSeenCodes(), UnitGroups(), EventBuffer()
    sizes = np.zeros(0, dtype=np.int64)
    inside, without, last, clock = 0, 0, -1, LineClock()
    for batch in frames:
        without += batch["unit"].null_count()
        whole = batch.with_columns(clock.fill(batch["time"])) if "time" in batch.columns else batch
        frame = whole.filter(pl.col("unit").is_not_null()) if whole["unit"].null_count() else whole
        if not len(frame):
            continue
        unit, line = units.of(frame["unit"]), frame["line"].to_numpy()
        inside += int(np.count_nonzero(np.diff(line))) + int(line[0] != last)
        last = int(line[-1])
        if "group" in frame.columns:
            groups.add(unit, frame["group"])
        if len(units) > len(sizes):
            sizes = np.concatenate([sizes, np.zeros(max(len(units), 2 * len(sizes)) - len(sizes), dtype=np.int64)])
        np.add.at(sizes, unit, 1)
        others = {
            name: frame[name].fill_null(-1).to_numpy() for name in ("time", "label") if name in frame.columns
        }
        buffer.add(unit=unit, shape=shapes.of(frame["shape"]), line=line, **others)
    if not buffer.events:
        raise DataError(f"no line of {without:,} belongs to a unit: wrong data set or windower for this log?")
    return EncodedLines(
        buffer=buffer,
        sizes=sizes[: len(units)],
        units=units.names(),
        shapes=shapes.names(),
        lines=inside + without,
        without=without,
        first_time=clock.first,
        groups=groups.names(),
        mixed=groups.mixed,
    )


def _estimate(lines: Lines) -> float | None:
    """About how many lines there are, as dense as at the beginning of the largest file: for the progress bar."""
    try:
        sizes = {file: file.stat().st_size for file in lines.files}
        path = max(sizes, key=lambda file: sizes[file])
        with path.open("rb") as file:
            head = file.read(1 << 16)
        if b"\0" in head or not head.count(b"\n"):
            return None  # packed, or no lines
        return sum(sizes.values()) * head.count(b"\n") / len(head)
    except (OSError, ValueError):
        return None
