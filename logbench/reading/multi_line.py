"""Join lines to events: several lines such as a stack trace, and pieces of one message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import polars as pl

from ..data.line_format import LineFormat
from .json_values import records
from .line_counts import Counts
from .splitters import BEGINS, WHOLE, Splitter, private

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
    before, of_one = 0 if carry is None else len(carry), [STREAM] if STREAM in whole.columns else []
    starts = (whole[BEGINS] if split.times is not None else split.starts(last_text(whole))).fill_null(True)
    starts = pl.concat([pl.repeat(True, before, dtype=pl.Boolean, eager=True), starts.slice(before)])
    events = whole if starts.all() else grouped(whole, _first(whole, starts, of_one))
    counts.joined += len(whole) - len(events)
    row, places = pl.col("row"), events.with_row_index("row").select("row", *of_one)
    is_last = places.select(row == (row.max().over(of_one) if of_one else row.max())).to_series()
    is_open = is_last & (events["raw"].str.len_bytes() <= (longest or LONGEST_ENTRY))
    if of_one:
        is_open &= events["end"].cast(pl.Int64) >= int(whole["end"].max()) - WAIT  # type: ignore[arg-type]
    waiting = events.filter(is_open)
    return events.filter(~is_open), waiting if len(waiting) else None


def _first(whole: pl.DataFrame, starts: pl.Series, of_one: Sequence[str]) -> pl.Series:
    """The row with which the event of each row begins."""
    if not of_one:
        row = pl.int_range(pl.len())
        return whole.select(pl.when(starts).then(row).forward_fill().fill_null(0)).to_series()
    begins, row = pl.col("starts") | _far(of_one), pl.col("row")
    known = whole.select(*of_one, "at", "end", row=pl.int_range(pl.len()), starts=starts)
    known = known.with_columns(begins=begins | (row == row.min().over(of_one)))
    return known.select(pl.when("begins").then(row).forward_fill().over(of_one)).to_series()


def _far(of_one: Sequence[str]) -> pl.Expr:
    """Whether the line before of the same stream is too far away to go on."""
    at = pl.col("at").cast(pl.Int64)
    return (at - pl.col("end").cast(pl.Int64).shift().over(of_one) > WAIT).fill_null(False)


def last_text(frame: pl.DataFrame) -> pl.Series:
    """What the innermost format so far reads."""
    return frame[("raw", *texts_of(frame))[-1]]


def texts_of(frame: pl.DataFrame) -> list[str]:
    """Columns with the texts that each layer of a format reads, from the outside in; none: all read `raw`."""
    return [name for name in frame.columns if name.startswith("text")]


def grouped(whole: pl.DataFrame, first: pl.Series, between: str = "\n") -> pl.DataFrame:
    """Rows that begin with one row as one: `raw` and the last text joined, the rest that of the first row.

    Args:
        first: the row with which each begins, its own or one before.
    """
    row, first = pl.Series(np.arange(len(whole))), first.cast(pl.Int64)
    if not (later := row != first).any():
        return whole
    texts = texts_of(whole)
    several = later | row.is_in(first.filter(later).unique().implode())
    joins = {"raw": "\n", **({texts[-1]: between} if texts else {})}
    columns = [
        pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).str.join(between)).alias(name)
        for name, between in joins.items()
    ]
    columns += [pl.col("end").last()] * ("end" in whole.columns)
    parts = whole.filter(several).group_by(first.filter(several).alias("first"), maintain_order=True).agg(columns)
    at = several.filter(~later).arg_true()
    events = whole.filter(~later)
    return events.with_columns(events[name].scatter(at, parts[name]) for name in parts.columns[1:])


def kept(place: int, name: str) -> str:
    """Column with a field of the layer `place` of a format, see `Splitter`."""
    return f"{place} {name}"


# Begins an event with each line that goes on in no stack trace.
TRACES = Splitter(pl.Series.to_frame, lambda lines: ~lines.str.contains(TRACE), pl.lit(None))
# Lines of other streams after which an event goes on no more.
WAIT = 200
# Column with what pieces of one message have in common.
STREAM = "stream"


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
        whole = whole.with_columns(found["goes_on"])
        if self.form.pieces == "newline" and whole["goes_on"].all():  # nothing here ends its messages so
            whole = whole.with_columns(goes_on=pl.lit(False))
        if self.carry is None and not whole["goes_on"].any():
            return whole.drop("goes_on")
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
        of_one = [STREAM] if STREAM in whole.columns else [pl.lit(0)]
        ended = (~pl.col("goes_on")).cast(pl.Int64)
        if STREAM in whole.columns:
            whole = whole.with_columns(far=_far([STREAM]).cast(pl.Int64))
            number = (ended.cum_sum() - ended + pl.col("far").cum_sum()).over(of_one)
            whole = whole.with_columns(number=number).drop("far")
        else:
            whole = whole.with_columns(number=ended.cum_sum() - ended)
        of_one = [*of_one, "number"]
        known = whole.with_row_index("row").select(
            first=pl.col("row").first().over(of_one),
            # A message that has grown too long is closed.
            waits=pl.col("goes_on").last().over(of_one)
            & (pl.col("raw").str.len_bytes().sum().over(of_one) <= LONGEST_ENTRY)
            & (pl.col("row").last().over(of_one) == pl.col("row").last().over(of_one[:-1]))
            & (pl.col("at").last().over(of_one).cast(pl.Int64) >= int(whole["at"].max()) - WAIT),  # type: ignore[arg-type]
        )
        waiting = whole.filter(known["waits"]).drop("number")
        self.carry = waiting if len(waiting) else None
        ready = whole.filter(~known["waits"]).drop("number", "goes_on")
        place = (~known["waits"]).cum_sum() - 1
        return self._whole(ready, place.gather(known["first"].filter(~known["waits"])))

    def _whole(self, ready: pl.DataFrame, first: pl.Series) -> pl.DataFrame:
        events = grouped(ready, first, "") if len(ready) else ready
        self.counts.joined += len(ready) - len(events)
        return events

    def flush(self) -> pl.DataFrame | None:
        rest, self.carry = self.carry, None
        if rest is None:
            return None
        of_one = [STREAM] if STREAM in rest.columns else [pl.lit(0)]
        return self._whole(
            rest.drop("goes_on"), rest.with_row_index("row").select(pl.col("row").first().over(of_one)).to_series()
        )


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
