"""Stages read and group: raw lines → units of coded lines, in one streaming pass over the file.

A line's message is reduced to its shape, lines get their units, both become small integers, and only the
distinct shapes (some 70 for 11 million HDFS lines) meet the parser's masks. Nothing is parsed yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from .assigned import Assigned
from .errors import DataError, PluginError
from .frames import KeySequences, Lines
from .given import Given
from .groups import UnitGroups
from .interfaces import Parser, Progress, Windower
from .numbers import Numbers
from .plain import several
from .spool import Spool

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Grouped:
    """Units of coded lines.

    Attributes:
        units: one row a unit in order of first line: `unit` (String), `label` (Int8, −1 unknown),
            `first_line`, `last_line` (Int64), `part` (String) where the data set gives it, `group` (String, see
            `groups`) where it or the windower does, and `side` (Int8, see `split`) where the lines were split
            before the units were made.
        offsets: int64 [units + 1], where each unit's events begin.
        codes: int32 [events], row of `messages` for each event.
        lines: uint32 [events], line number of each event; int64 for key sequences, the event's position.
        messages: String, distinct masked messages in first-seen order.
        times: int64 [events], microseconds since 1970, or None.
        line_labels: int8 [events], or None.
        facts: counts for the record: `lines`, `events`, `lines_without_unit`, `labels_without_unit`, …
        sequences: the data set came as key sequences, without raw lines.
    """

    units: pl.DataFrame
    offsets: NDArray[np.int64]
    codes: NDArray[np.int32]
    lines: NDArray[np.uint32] | NDArray[np.int64]
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


@dataclass(frozen=True)
class Read:
    """Coded lines of one pass over the files, in reading order.

    Attributes:
        spool: columns `unit` and `shape` (int32, numbers of `units` and `shapes`), `line` (uint32), and where
            known `time` (int64, microseconds since 1970) and `label` (int8). A line of several units stands once
            for each.
        sizes: int64 [units], events of each unit.
        units, shapes: String, names in first-seen order.
        lines: lines read: those of a unit, and those of none. without: the latter.
        first_time: what a line has before any that has a time.
        groups: String [units], the group of each unit's first line; None where lines have no groups. mixed: units
            with lines of several groups.
    """

    spool: Spool
    sizes: NDArray[np.int64]
    units: pl.Series
    shapes: pl.Series
    lines: int
    without: int
    first_time: int | None
    groups: pl.Series | None = None
    mixed: int = 0


def read_lines(lines: Lines, windower: Windower, parser: Parser, progress: Progress, times: bool) -> Read:
    """One pass over the lines; each of them is in a unit, or counted as one without.

    Raises:
        DataError: there is no line, or none belongs to a unit.
        PluginError: the windower lost lines, or gave others than it was given.
    """
    given = given_of(lines, parser)
    read = coded(batches(given, windower, progress, times, _estimate(lines)))
    if read.lines != given.total:
        raise AssertionError(f"{given.total} lines came in, {read.lines} are in a unit or without: {read}")
    return read


def given_of(lines: Lines, parser: Parser, first: int = 0) -> Given:
    """The lines as a windower sees them, their messages reduced to shapes; one without a message has an empty one.

    Args:
        first: number of the first line.
    """
    shape = apply(pl.col("message").fill_null(""), parser.shape).cast(pl.Categorical(pl.Categories.random()))
    return Given(lines, shape, first)


def batches(
    given: Given, windower: Windower, progress: Progress, times: bool, estimate: float | None = None
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
    assigned = Assigned(given)
    frames = iter(chosen.collect_batches(chunk_size=500_000, maintain_order=True))
    for batch in assigned.follow(frames):
        done = assigned.last + 1 - given.first
        progress(done, max(estimate, done) if estimate else None, "lines")
        yield batch if given.labels is None else batch.with_columns(given.labels.of(batch["line"]))
    if not given.total:
        where = ", ".join(map(str, given.files)) or "the data set"
        raise DataError(f"{where}: no line to read; is the file empty?")


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


def coded(frames: Iterable[pl.DataFrame]) -> Read:
    """Frames of `batches` with units and shapes numbered in first-seen order.

    Raises:
        DataError: no line belongs to a unit.
    """
    units, shapes, groups, spool = Numbers(), Numbers(), UnitGroups(), Spool()
    sizes = np.zeros(0, dtype=np.int64)
    inside, without, last, clock = 0, 0, -1, _Clock()
    for batch in frames:
        without += batch["unit"].null_count()
        whole = batch.with_columns(clock.told(batch["time"])) if "time" in batch.columns else batch
        frame = whole.filter(pl.col("unit").is_not_null()) if whole["unit"].null_count() else whole
        if not len(frame):
            continue
        unit, line = units.of(frame["unit"]), frame["line"].to_numpy()
        inside += int(np.count_nonzero(np.diff(line))) + int(line[0] != last)
        last = int(line[-1])
        if "group" in frame.columns:
            groups.add(unit, frame["group"])
        found = np.bincount(unit, minlength=max(len(units), len(sizes)))
        found[: len(sizes)] += sizes
        sizes = found
        others = {
            name: frame[name].fill_null(-1).to_numpy() for name in ("time", "label") if name in frame.columns
        }
        spool.add(unit=unit, shape=shapes.of(frame["shape"]), line=line, **others)
    if not spool.events:
        raise DataError(
            f"none of the {several(without, 'line')} belongs to a unit: wrong data set or windower for this log?"
        )
    return Read(
        spool=spool,
        sizes=sizes,
        units=units.names(),
        shapes=shapes.names(),
        lines=inside + without,
        without=without,
        first_time=clock.first,
        groups=groups.names(),
        mixed=groups.mixed,
    )


class _Clock:
    """Times without gaps: a line without one has that of the line before, the first ones that of the first."""

    UNKNOWN = np.iinfo(np.int64).min

    def __init__(self) -> None:
        self.first: int | None = None
        self.last = int(self.UNKNOWN)

    def told(self, times: pl.Series) -> pl.Series:
        """The times of further lines, Int64, `UNKNOWN` as long as no line had one."""
        whole = times.to_physical().fill_null(strategy="forward").fill_null(self.last)
        if self.first is None and times.null_count() < len(times):
            self.first = int(times.to_physical().drop_nulls()[0])
        self.last = int(whole[-1])
        return whole


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


def group_lines(read: Read, parser: Parser, labels: Callable[[], pl.DataFrame] | None = None) -> Grouped:
    """Sort what `read_lines` gave into units, ordered by first line; mask the distinct shapes.

    The labels are read and the messages masked beside the sorting, in a thread each.

    Raises:
        DataError: a unit has two labels, or no unit has one though labels are there.
    """
    with ThreadPoolExecutor(2) as beside:
        labelled = beside.submit(labels) if labels else None
        masked = beside.submit(_messages, read.shapes, parser)
        columns = read.spool.sorted(read.sizes)
        number, messages = masked.result()
    codes, lines = columns["shape"], columns["line"]
    np.take(number, codes, out=codes, mode="clip")  # in place: there may be more of them than memory
    times = columns.get("time") if read.first_time is not None else None
    if times is not None and read.first_time is not None:
        np.maximum(times, read.first_time, out=times, where=times == _Clock.UNKNOWN)
    offsets = np.concatenate([[0], np.cumsum(read.sizes)]).astype(np.int64)
    first, last = (lines[at].astype(np.int64) for at in (offsets[:-1], offsets[1:] - 1))
    units = pl.DataFrame({"unit": read.units}).with_columns(first_line=first, last_line=last)
    if read.groups is not None:
        units = units.with_columns(group=read.groups)
    line_labels = columns.get("label")
    units, label_facts = _with_labels(units, labelled.result() if labelled else None, line_labels, offsets)
    facts = {"lines": read.lines, "events": read.spool.events, "lines_without_unit": read.without, **label_facts}
    if read.mixed:
        facts["units_of_several_groups"] = read.mixed
    return Grouped(units, offsets, codes, lines, messages, times, line_labels, facts)


def _messages(shapes: pl.Series, parser: Parser) -> tuple[NDArray[np.int32], pl.Series]:
    """Number of each shape's masked message, and the distinct messages in first-seen order."""
    masked = pl.DataFrame({"shape": shapes}).select(message=apply(pl.col("shape"), parser.masks))
    distinct = masked.unique(maintain_order=True)
    numbered = distinct.with_row_index("code")
    code = masked.join(numbered, on="message", how="left", maintain_order="left", nulls_equal=True)["code"]
    return code.cast(pl.Int32).to_numpy(), distinct["message"]


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
                f"none of the {several(extra, 'label')} names a unit of this log ({labels['unit'][0]} against "
                f"{units['unit'][0]}, say): are they those of another log?"
            )
    else:
        worst = np.maximum.reduceat(line_labels, offsets[:-1]) if line_labels is not None else None
        units = units.with_columns(
            label=pl.Series(worst, dtype=pl.Int8) if worst is not None else pl.lit(-1, pl.Int8)
        )
        extra = 0
    facts = {"labels_without_unit": extra, "units_without_label": int((units["label"] < 0).sum())}
    if labels is None and line_labels is not None:
        unknown = np.minimum.reduceat(line_labels, offsets[:-1]) < 0
        if partly := int(np.count_nonzero(unknown & (units["label"] == 0).to_numpy())):
            facts["units_partly_labelled"] = partly
    return units, facts


def group_sequences(data: KeySequences) -> Grouped:
    """A data set that came as key sequences, in the same form: its keys are the messages."""
    frame = data.frame
    lengths = frame["keys"].list.len().cast(pl.Int64).to_numpy()
    flat = frame["keys"].explode(empty_as_null=False).cast(pl.String)
    if not len(flat):
        raise DataError(f"{', '.join(map(str, data.files)) or 'the data set'}: no key to read; is the file empty?")
    numbers = Numbers()
    codes, messages = numbers.of(flat.cast(pl.Categorical(pl.Categories.random()))), numbers.names()
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    label = pl.col("label").fill_null(-1).cast(pl.Int8) if "label" in frame.columns else pl.lit(-1, pl.Int8)
    given = [name for name in ("part", "group") if name in frame.columns]
    units = frame.select("unit", label.alias("label"), *given)
    units = units.with_columns(first_line=pl.Series(offsets[:-1]), last_line=pl.Series(offsets[1:] - 1))
    facts = {"lines": 0, "events": len(codes), "units_without_label": int((units["label"] < 0).sum())}
    lines = np.arange(len(codes), dtype=np.int64)
    return Grouped(units, offsets, codes, lines, messages, facts=facts, sequences=True)
