"""Join lines to events: several lines such as a stack trace, and pieces of one message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import polars as pl

from ..data.line_format import LineFormat
from .event_rows import STREAM, WAIT, EventRows, Flags, InStreams, Numbers
from .json_values import records
from .line_counts import Counts
from .line_patterns import WHOLE
from .splitters import BEGINS, Splitter, private

# Bytes of an event from which on the next line begins a new one, whatever it is.
LONGEST_ENTRY = 1 << 20
# The same where one document holds many events.
LONGEST_DOCUMENT = 1 << 28
# Lines that go on in a stack trace, as Java, Python, Go, C# and others write them.
TRACE = (
    r"^\s|^$|^at \S+\(.*\)$|^at \S+ in |^File \"|^Caused by: |^\.\.\. \d+ (?:more|common)"
    r"|^Traceback \(most recent"
    r" call last\):|^goroutine \d+ \["
    r"|^(?:[\w$]+\.)*[\w$]*(?:Exception|Error|Throwable)(?:$|:)|^During handling of |^The above exception "
    r"|^--- End of |^-{3,}$|^Stack trace:|^[}\])]+[,;]?$"
)


def joined(
    lines: pl.DataFrame, carry: pl.DataFrame | None, split: Splitter, counts: Counts, longest: int | None = None
) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """Events of lines, and the last one, which further lines may belong to.

    Args:
        lines: columns `raw` and `at`; of columns `text0`, `text1` …, texts of inner formats, the last is joined;
            `BEGINS`, where the times of `split` tell it.
        carry: the event before, one row, open still.
        longest: bytes from which on an event is closed.
    """
    whole = lines if carry is None else pl.concat([carry, lines])
    if not len(whole):
        return whole, None
    before, longest = 0 if carry is None else len(carry), longest or LONGEST_ENTRY
    starts = (whole[BEGINS] if split.times is not None else split.starts(last_text(whole))).fill_null(True)
    begins, rows = starts.to_numpy(writable=True), InStreams.of(whole)
    begins[:before] = True
    sizes = whole["raw"].str.len_bytes().to_numpy().astype(np.int64)[rows.order] + 1  # what joins them, too
    found = EventRows.of(rows, begins[rows.order], sizes, longest + 1)
    is_open = found.last & (found.sizes <= longest + 1)
    if STREAM in whole.columns:
        end = whole["end"].to_numpy().astype(np.int64)
        is_open &= end[rows.order[found.ends]] >= end.max() - WAIT
    first = found.first
    events = grouped(whole, first)
    counts.joined += len(whole) - len(events)
    if not is_open.any():
        return events, None
    if STREAM not in whole.columns:
        return events.head(-1), events.tail(1)
    waits = pl.Series(found.of_rows(is_open)[first == np.arange(len(whole))])
    return events.filter(~waits), events.filter(waits)


def last_text(frame: pl.DataFrame) -> pl.Series:
    """What the innermost format so far reads."""
    return frame[("raw", *texts_of(frame))[-1]]


def texts_of(frame: pl.DataFrame) -> list[str]:
    """Columns with the texts that each layer of a format reads, from the outside in; none: all read `raw`."""
    return [name for name in frame.columns if name.startswith("text")]


def grouped(whole: pl.DataFrame, first: Numbers, between: str = "\n") -> pl.DataFrame:
    """Rows that begin with one row as one: `raw` and the last text joined, the rest that of the first row.

    Args:
        first: the row with which each begins, its own or one before.
    """
    later = first != np.arange(len(whole))
    if not later.any():
        return whole
    texts, several = texts_of(whole), later.copy()
    several[first[later]] = True
    joins = {"raw": "\n", **({texts[-1]: between} if texts else {})}
    columns = [
        pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).str.join(between)).alias(name)
        for name, between in joins.items()
    ]
    columns += [pl.col("end").last()] * ("end" in whole.columns)
    names = [*joins, *(["end"] if "end" in whole.columns else [])]
    some = whole.select(names).filter(pl.Series(several))
    parts = some.group_by(pl.Series("first", first[several]), maintain_order=True).agg(columns)
    events, at = whole.filter(pl.Series(~later)), pl.Series(np.flatnonzero(several[~later]))
    return events.with_columns(events[name].scatter(at, parts[name]) for name in names)


def kept(place: int, name: str) -> str:
    """Column with a field of the layer `place` of a format, see `Splitter`."""
    return f"{place} {name}"


# Begins an event with each line that goes on in no stack trace.
TRACES = Splitter(pl.Series.to_frame, lambda lines: ~lines.str.contains(TRACE), pl.lit(None))


def _kept(fields: pl.DataFrame, texts: Sequence[str]) -> pl.DataFrame:
    """Fields of the innermost layer so far as columns of events; `BEGINS` as it is."""
    place = max(len(texts) - 1, 0)
    return fields.rename({name: kept(place, name) for name in fields.columns if name != BEGINS})


class Stage(Protocol):
    """A step from lines to events."""

    carry: pl.DataFrame | None

    @property
    def holds(self) -> bool:
        """Whether it may keep rows back."""

    def feed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """What is complete, with these further rows."""

    def flush(self) -> pl.DataFrame | None:
        """What waits; nothing more comes."""


@dataclass
class Joining:
    """Joins rows that begin no event to the row before."""

    split: Splitter
    counts: Counts
    longest: int | None = None
    carry: pl.DataFrame | None = None
    holds = True

    def feed(self, frame: pl.DataFrame) -> pl.DataFrame:
        if self.split.times is not None:
            early = self.split.early(self.split.times, last_text(frame))
            frame = frame.with_columns(_kept(early, texts_of(frame)))
        events, self.carry = joined(frame, self.carry, self.split, self.counts, self.longest)
        return events

    def flush(self) -> pl.DataFrame | None:
        rest, self.carry = self.carry, None
        return rest


@dataclass
class Within:
    """Adds the text that the next inner format reads, the message of this one, and joins its pieces."""

    form: LineFormat
    split: Splitter
    counts: Counts
    carry: pl.DataFrame | None = None
    # The first line whose message ended with a line end, where that tells its pieces.
    _ended: int | None = field(default=None, init=False)

    @property
    def holds(self) -> bool:
        """See `Stage`."""
        return bool(self.form.pieces)

    def feed(self, frame: pl.DataFrame) -> pl.DataFrame:
        if not (texts := texts_of(frame)):
            frame, texts = frame.with_columns(text0=pl.col("raw")), ["text0"]
        name = f"text{len(texts)}"
        fields = self.split(frame[texts[-1]])
        frame = frame.with_columns(_kept(fields, texts))
        shown = pl.when(pl.col(private(WHOLE)).is_not_null()).then(self.split.message)
        found = fields.select(message=shown, stream=self._stream(fields), goes_on=self._goes_on())
        whole = frame.with_columns(found["message"].str.strip_chars_end("\r\n").alias(name))
        if self.form.stream:
            whole = whole.with_columns(found["stream"].alias(STREAM), end=pl.col("at"))
        if not self.form.pieces:
            return whole
        if self.form.pieces == "newline" and self._ended is None:
            ended = pl.col("message").str.ends_with("\n").fill_null(False)
            self._ended = whole["at"].filter(found.select(ended).to_series()).min()  # type: ignore[assignment]
        if self.carry is None and not found["goes_on"].any():
            return whole
        whole = whole.with_columns(found["goes_on"])
        return self._joined(whole if self.carry is None else pl.concat([self.carry, whole]))

    def _stream(self, fields: pl.DataFrame) -> pl.Expr:
        return pl.col(private(self.form.stream)) if self.form.stream else pl.lit(None, pl.String)

    def _goes_on(self) -> pl.Expr:
        """Whether a row's message goes on in the next one of its stream."""
        if not self.form.pieces:
            return pl.lit(False)
        if self.form.pieces == "newline":
            return ~self.split.message.str.ends_with("\n").fill_null(True)
        name, _, value = self.form.pieces.partition("=")
        return (pl.col(private(name)) == value).fill_null(False)

    def _joined(self, whole: pl.DataFrame) -> pl.DataFrame:
        rows, at = InStreams.of(whole), whole["at"].to_numpy().astype(np.int64)
        goes_on, sizes = (
            whole["goes_on"].to_numpy()[rows.order],
            whole["raw"].str.len_bytes().to_numpy()[rows.order],
        )
        if self.form.pieces == "newline":  # where none ends so, not too many wait
            sizes = np.maximum(sizes, LONGEST_ENTRY // WAIT)
        begins = np.append(True, ~goes_on[:-1])
        found = EventRows.of(rows, begins, sizes.astype(np.int64), LONGEST_ENTRY)
        end = at[rows.order[found.ends]]
        cut = goes_on[found.ends]
        waits = cut & found.last & (found.sizes <= LONGEST_ENTRY) & (end >= at.max() - WAIT)
        return self._whole(whole, found, waits, cut & ~waits & self._alone(end))

    def _alone(self, end: Numbers) -> Flags:
        """Whether pieces up to these lines are messages for themselves: no line before ended its message."""
        if self.form.pieces != "newline":
            return np.zeros(len(end), dtype=bool)
        return np.ones(len(end), dtype=bool) if self._ended is None else end < self._ended

    def _whole(self, whole: pl.DataFrame, found: EventRows, waits: Flags, alone: Flags) -> pl.DataFrame:
        """Messages of pieces, but those that wait; pieces that stand alone as they are."""
        first = np.where(found.of_rows(alone), np.arange(len(whole)), found.first)
        whole = whole.drop("goes_on")
        if waits.any():
            held = found.of_rows(waits)
            self.carry = whole.filter(pl.Series(held)).with_columns(goes_on=pl.lit(True))
            whole, first = whole.filter(pl.Series(~held)), (np.cumsum(~held) - 1)[first[~held]]
        else:
            self.carry = None
        events = grouped(whole, first, "")
        self.counts.joined += len(whole) - len(events)
        return events

    def flush(self) -> pl.DataFrame | None:
        rest, self.carry = self.carry, None
        if rest is None:
            return None
        rows, size = InStreams.of(rest), np.zeros(len(rest), dtype=np.int64)
        found = EventRows.of(rows, np.zeros(len(rest), dtype=bool), size, 0)
        end = rest["at"].to_numpy().astype(np.int64)[rows.order[found.ends]]
        return self._whole(rest, found, np.zeros(len(end), dtype=bool), self._alone(end))


@dataclass
class Exploding:
    """Makes an event of each item of the list in a JSON document."""

    path: str
    counts: Counts
    carry: pl.DataFrame | None = None
    holds = False

    def feed(self, frame: pl.DataFrame) -> pl.DataFrame:
        found = [records(line, self.path) or [line] for line in frame["raw"]]
        whole = frame.with_columns(raw=pl.Series(found, dtype=pl.List(pl.String))).explode("raw")
        self.counts.read += len(whole) - len(frame)
        return whole

    def flush(self) -> pl.DataFrame | None:
        return None


@dataclass
class Events:
    """Lines of one text to events, in the stages that its format asks for.

    Attributes:
        splits: how each layer of the format is taken apart, from the outside in.
        held: events that are complete and come after one that waits.
    """

    splits: Sequence[Splitter]
    stages: list[Stage] = field(default_factory=list)
    held: pl.DataFrame | None = None

    @classmethod
    def of(cls, form: LineFormat, splits: Sequence[Splitter], counts: Counts) -> Events:
        """The stages of a format."""
        stages: list[Stage] = []
        layers = form.layers
        for place, (layer, split) in enumerate(zip(layers, splits, strict=True)):
            innermost = place == len(layers) - 1
            if layer.multiline:
                stages.append(Joining(split, counts, LONGEST_DOCUMENT if layer.records else None))
            if layer.records and not place:
                stages.append(Exploding(layer.records, counts))
            if not innermost or layer.pieces or layer.traces:
                stages.append(Within(layer, split, counts))
            if layer.traces and not any(one.multiline for one in layers[place + 1 :]):
                stages.append(Joining(TRACES, counts))
        return cls(splits, stages)

    def feed(self, lines: pl.DataFrame) -> pl.DataFrame:
        """Events that are complete."""
        for stage in self.stages:
            lines = stage.feed(lines)
        return self._in_order(lines)

    def _in_order(self, events: pl.DataFrame, everything: bool = False) -> pl.DataFrame:
        """Events before all that wait: with several streams one may wait longer than the next."""
        if STREAM not in events.columns:
            return events
        whole = events if self.held is None else pl.concat([self.held, events])
        whole = whole if whole["at"].is_sorted() else whole.sort("at", maintain_order=True)
        first = None if everything else self.first_waiting
        later = whole["at"] > first if first is not None else pl.Series([False]).new_from_index(0, len(whole))
        self.held = whole.filter(later)
        return whole.filter(~later).drop(STREAM, "end")

    def rest(self) -> Iterator[pl.DataFrame]:
        """Events that wait, at the end."""
        frames = [*self._flushed()]
        if self.held is not None:
            frames = [self._in_order(pl.concat([*frames, self.held.head(0)]), everything=True)]
        yield from (frame for frame in frames if len(frame))

    def _flushed(self) -> Iterator[pl.DataFrame]:
        for place, stage in enumerate(self.stages):
            frame = stage.flush()
            if frame is None or not len(frame):
                continue
            for later in self.stages[place + 1 :]:
                frame = later.feed(frame)
            if len(frame):
                yield frame

    @property
    def first_waiting(self) -> int | None:
        """The first line, by `at`, of the events that wait; None where none does."""
        waiting = [
            stage.carry["at"].min() for stage in self.stages if stage.carry is not None and len(stage.carry)
        ]
        return min(waiting, default=None)  # type: ignore[type-var,return-value]
