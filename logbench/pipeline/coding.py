"""Encode lines as integers, batch by batch: units, shapes of messages, times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import polars as pl

from ..api.contracts import Parser, Windower
from ..base.errors import PluginError
from ..base.progress import Progress
from ..data.categories import FirstSeenCodes
from ..data.lines import Lines
from .assigned_units import AssignedUnits
from .coded_lines import coder_of, shape_of
from .encoded_lines import EncodedLines, Events, no_line
from .groups import UnitGroups
from .line_clock import LineClock
from .windower_input import WindowerInput


def read_lines(lines: Lines, windower: Windower, parser: Parser, progress: Progress, times: bool) -> EncodedLines:
    """One pass over the lines; each of them is in a unit, or counted as one without.

    Raises:
        DataError: there is no line, or none belongs to a unit.
        PluginError: the windower lost lines, or gave others than it was given.
    """
    estimate, coder = _estimate(lines), coder_of(lines, windower, parser)
    if coder is not None:
        return coder.read(progress, times, estimate)
    given = given_of(lines, parser)
    read = encode_lines(batches(given, windower, progress, times, estimate))
    if read.lines != given.total:
        raise AssertionError(f"{given.total} lines came in, {read.lines} are in a unit or without: {read}")
    return read


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
        raise no_line(given.files)


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
    units, shapes, groups, events = FirstSeenCodes(), FirstSeenCodes(), UnitGroups(), Events()
    inside, without, last, clock = 0, 0, -1, LineClock()
    for batch in frames:
        without += batch["unit"].null_count()
        whole = batch
        if "time" in batch.columns and len(batch):
            whole = batch.with_columns(pl.Series("time", clock.fill(clock.numbers(batch["time"]))))
        frame = whole.filter(pl.col("unit").is_not_null()) if whole["unit"].null_count() else whole
        if not len(frame):
            continue
        unit, line = units.of(frame["unit"]), frame["line"].to_numpy()
        inside += int(np.count_nonzero(np.diff(line))) + int(line[0] != last)
        last = int(line[-1])
        if "group" in frame.columns:
            groups.add(unit, frame["group"])
        others = {
            name: frame[name].fill_null(-1).to_numpy() for name in ("time", "label") if name in frame.columns
        }
        events.add(len(units), unit, shape=shapes.of(frame["shape"]), line=line, **others)
    lines = inside + without
    return events.done(
        units.names(), shapes.names(), lines, without, clock.first, groups.names(), groups.mixed,
        last_time=clock.last,
    )  # fmt: skip


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
