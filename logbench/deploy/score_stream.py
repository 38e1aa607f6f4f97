"""Score a stream of lines with a saved model.

A session is scored after `timeout` seconds of silence, or at the end of input.
"""

from __future__ import annotations

import contextlib
import os
import select
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import polars as pl

from ..api.contracts import Context
from ..api.optional import HasSilence, Piecewise, Updates
from ..base.errors import DataError, IncompatibleError
from ..base.progress import silent
from ..base.temporary_folders import temporary_folder
from ..data.event_messages import NEEDS
from ..data.lines import Lines, text_of
from ..data.message_file import MessageFile
from ..pipeline.coding import batches, encode_lines, given_of
from ..pipeline.grouping import group_lines
from ..reading.byte_streams import LONGEST
from ..running.bundle import Bundle
from ..running.data_warnings import left_over
from ..running.needs import check_needs
from .pipe import Pieces
from .score_files import score_grouped
from .stream_clock import StreamClock

# Name of the file for each piece, and so of the session if sessions are files.
NAME = "stdin.log"
# First bytes of gzip, zstandard and zip.
PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04")
# Closed sessions that are remembered, to tell lines that come too late.
REMEMBERED = 10_000
# Most bytes to read at once.
BLOCK = 1 << 20


def arriving(descriptor: int, patience: float, ended: Callable[[], bool] = lambda: False) -> Iterator[bytes]:
    """Read a pipe or file as it is written; give `b""` after `patience` seconds of silence.

    After `ended` it reads only what is already written.
    """
    while True:
        over = ended()
        if not select.select([descriptor], [], [], 0 if over else patience)[0]:
            if over:
                return
            yield b""
        elif block := os.read(descriptor, BLOCK):
            yield block
        else:
            return


def score_stream(
    bundle: Bundle,
    blocks: Iterator[bytes],
    timeout: float,
    device: str,
    clock: Callable[[], float] = time.monotonic,
    note: Callable[[str], None] = lambda _: None,
) -> Iterator[pl.DataFrame]:
    """Score whole sessions as they close: the columns of `score_files.score_bundle` without `file`.

    Args:
        blocks: blocks of any size of a text log; an empty block means silence.
        timeout: seconds without a line after which a session closes. Time is the time in the log, which the clock
            continues during silence, or the clock alone if lines have no times. At least the `silence` that a
            windower declares, such as the length of a time window.

    Raises:
        DataError: the data set cannot read the lines.
        IncompatibleError: the windower counts lines, a line end is not a single byte, or the lines lack what the
            model needs.
    """
    windower = bundle.parts["windower"]
    built = windower.build()
    if isinstance(built, Piecewise) and not built.piecewise:
        raise IncompatibleError(
            f"standard input: windower {windower.name} counts lines; give them in a file, by --data"
        )
    silence = built.silence if isinstance(built, HasSilence) else 0.0
    live = _Live(bundle, max(timeout, silence), device, clock, silence=silence)
    rest: list[bytes] = []
    for block in blocks:
        if not live.lines and not rest and block.startswith(PACKED):
            raise DataError("standard input: is compressed; decompress it: zcat new.log.gz | logbench score …")
        cut = block.rfind(b"\n") + 1
        if cut:
            live.take(b"".join([*rest, block[:cut]]))
            rest = []
        rest.append(block[cut:])
        if not block:
            live.rest()
        if sum(map(len, rest)) > LONGEST:
            raise DataError(f"standard input: a line of more than {LONGEST:,} bytes; is this a text log?")
        yield from live.close()
    if any(rest):
        live.take(b"".join(rest))
    live.rest()
    yield from live.close(everything=True)
    if warning := left_over(live.facts):
        note(warning)


@dataclass
class _Live:
    """State between two pieces of the stream.

    Attributes:
        lines: number of events read.
        before: number of text lines read.
        open: lines of open sessions: `line`, `unit`, `shape`, `raw`, `at`, `seen` (how far the stream had
            come, seconds), and `message` where the model asks for it.
        silence: seconds after which the windower ends a session; 0: it does not.
        ended: lines of sessions that are over and not scored yet.
        newest: the latest `seen`.
        progress: how far the stream has come by the times in the log.
        closed: the last sessions that were closed.
        arrived: clock at the last piece, seconds.
        time: time in the last line.
        facts: counts of unparsed and similar lines, and of lines without session.
    """

    bundle: Bundle
    timeout: float
    device: str
    clock: Callable[[], float]
    lines: int = 0
    open: pl.DataFrame = field(default_factory=pl.DataFrame)
    silence: float = 0.0
    ended: pl.DataFrame = field(default_factory=pl.DataFrame)
    newest: float = 0.0
    progress: StreamClock = field(default_factory=StreamClock)
    closed: dict[str, None] = field(default_factory=dict)
    arrived: float = 0.0
    before: int = 0
    time: datetime | None = None
    facts: Counter[str] = field(default_factory=Counter)
    pieces: Pieces | None = None

    @property
    def updates(self) -> bool:
        """Whether the model learns from the units that it scored."""
        return isinstance(self.bundle.model, Updates)

    def __post_init__(self) -> None:
        with tempfile.NamedTemporaryFile(suffix=".log") as file, contextlib.suppress(DataError):
            opened = self.bundle.parts["dataset"].build().read(Path(file.name))
            if isinstance(opened, Lines) and opened.form is not None:
                self.pieces = Pieces(opened.form)
                if "\n".encode(encoding := opened.form.encoding) != b"\n":
                    raise IncompatibleError(
                        f"standard input: {encoding} cannot be cut into lines; give a file by --data"
                    )

    def take(self, text: bytes) -> None:
        """Read whole lines."""
        self._read(self.pieces.take(text) if self.pieces else text)

    def rest(self) -> None:
        """Read the last event, which is complete after a silence or at the end."""
        if self.pieces:
            self._read(self.pieces.rest())

    def _read(self, text: bytes) -> None:
        """Read events by the data set's own reader, and keep those of sessions."""
        if not text:
            return
        with temporary_folder() as folder:
            file = folder / NAME
            file.write_bytes(text)
            opened = self.bundle.parts["dataset"].build().read(file)
            if not isinstance(opened, Lines):
                raise DataError("standard input: this model scores key sequences, give a file by --data")
            check_needs(self.bundle.parts["model"], self.bundle.parts["dataset"].name, opened, scoring=True)
            frame = self._placed(opened).collect()
            self.facts.update(opened.counted() if opened.counted else {})
        windower, parser = self.bundle.parts["windower"].build(), self.bundle.vocabulary.parser
        given = given_of(replace(opened, frame=frame.lazy()), parser, self.lines)
        read = pl.concat(batches(given, windower, silent, True))
        self.lines += len(frame)
        header = int(frame["at"][0]) - 1 - self.before  # lines of a header, which begins each piece
        self.before += text.count(b"\n") - header
        self.arrived = self.clock()
        if "time" in frame.columns:
            self.time = frame["time"][-1]
        asks = bool(self.bundle.parts["model"].entry.item.traits.shown & NEEDS)
        self._keep(read, frame.select("line", "raw", "text", "at", *(["message"] if asks else [])))

    def _placed(self, opened: Lines) -> pl.LazyFrame:
        """Number the lines in the whole stream; a line without a time gets that of the line before."""
        schema = opened.frame.collect_schema()
        frame = opened.frame.with_columns(
            line=(pl.col("line") + self.lines).cast(pl.UInt32),
            raw="raw" if "raw" in schema else "message",
            text=text_of(opened),
            at=(pl.col("at" if "at" in schema else "line").cast(pl.Int64) + self.before + ("at" not in schema)),
        )
        if "time" not in schema:
            return frame
        return frame.with_columns(
            pl.col("time").fill_null(strategy="forward").fill_null(pl.lit(self.time, pl.Datetime("us")))
        )

    def _keep(self, read: pl.DataFrame, places: pl.DataFrame) -> None:
        """Keep lines of sessions until the sessions close."""
        kept = read.filter(pl.col("unit").is_not_null()).drop("group", strict=False)
        self.facts["lines_without_unit"] += len(places) - kept["line"].n_unique()
        seen = self._seen(read).filter(read["unit"].is_not_null())
        kept = kept.with_columns(seen, pl.col("unit", "shape").cast(pl.String))
        self.facts["late_lines"] += int(kept["unit"].is_in(list(self.closed)).sum())
        kept = kept.join(places, on="line", how="left", maintain_order="left")
        self._end_silent(kept)
        self.open = pl.concat([self.open, kept], how="diagonal")
        self.newest = max(self.newest, *seen.tail(1), self.progress.now)

    def _end_silent(self, kept: pl.DataFrame) -> None:
        """Set aside open sessions whose id comes again after the silence that the windower ends them by."""
        if not (self.silence and len(self.open) and len(kept)):
            return
        last = self.open.group_by("unit").agg(pl.col("seen").max())
        again = kept.group_by("unit").agg(again=pl.col("seen").min()).join(last, on="unit")
        over = again.filter(pl.col("seen") + self.silence < pl.col("again"))["unit"].implode()
        self.ended = pl.concat([self.ended, self.open.filter(pl.col("unit").is_in(over))], how="diagonal")
        self.open = self.open.filter(~pl.col("unit").is_in(over))

    def _seen(self, read: pl.DataFrame) -> pl.Series:
        """How far the stream had come at each line, seconds: by the times in the log, else by the clock."""
        if "time" not in read.columns:
            return pl.Series("seen", [self.arrived], dtype=pl.Float64).new_from_index(0, len(read))
        stamps = (read["time"].dt.epoch("us") / 1e6).to_list()
        return pl.Series("seen", self.progress.read(stamps), dtype=pl.Float64)

    def close(self, everything: bool = False) -> Iterator[pl.DataFrame]:
        """Score the sessions that have ended, and drop their lines."""
        before, self.ended = self.ended, pl.DataFrame()
        if len(before):
            yield self._scored(before)
        if not len(self.open):
            return
        now = self.newest + (self.clock() - self.arrived)
        last = self.open.group_by("unit").agg(pl.col("seen").max())
        over = last.filter(pl.lit(everything) | (pl.col("seen") + self.timeout < now))["unit"]
        ended = self.open.filter(pl.col("unit").is_in(over.implode()))
        if len(ended):
            self.closed = dict.fromkeys([*self.closed, *over][-REMEMBERED:])
            self.open = self.open.filter(~pl.col("unit").is_in(over.implode()))
            if self.updates:  # one at a time, in the order in which they fell silent
                silent_since = ended.group_by("unit", maintain_order=True).agg(pl.col("seen").max())
                for unit in silent_since.sort("seen", maintain_order=True)["unit"]:
                    yield self._scored(ended.filter(pl.col("unit") == unit))
            else:
                yield self._scored(ended)

    def _scored(self, ended: pl.DataFrame) -> pl.DataFrame:
        kinds = {name: pl.Categorical(pl.Categories.random()) for name in ("unit", "shape")}
        grouped = group_lines(encode_lines([ended.cast(kinds)]), self.bundle.vocabulary.parser)  # type: ignore[arg-type]
        if "message" in ended.columns:
            lines = ended.select("line", "message").unique("line").sort("line")
            messages = MessageFile.of(lines["message"], lines["line"].to_numpy())
            grouped = replace(grouped, raw=lambda: messages)
        frame = score_grouped(self.bundle, grouped, Context(device=self.device), self.updates)
        places = ended.select(pl.col("line").cast(pl.Int64), "raw", "text", "at").unique("line")
        return frame.join(places, on="line", how="left", maintain_order="left")
