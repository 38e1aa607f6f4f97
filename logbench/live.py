"""A saved model on a stream of lines: a session is scored once no line of it came for a while, or at the end."""

from __future__ import annotations

import contextlib
import os
import select
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from .bundle import Bundle
from .errors import DataError, UnfitError
from .frames import Lines
from .grouping import batches, coded, group_lines
from .interfaces import Context, silent
from .linereader import Pieces
from .scoring import score_grouped
from .streams import LONGEST

BLOCK = 1 << 20
"""Bytes asked for at a time; fewer come where the writer is slower."""


def arriving(descriptor: int, patience: float) -> Iterator[bytes]:
    """Bytes of a pipe or file as they come; `b""` each time that nothing came for `patience` seconds."""
    while True:
        if not select.select([descriptor], [], [], patience)[0]:
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
) -> Iterator[pl.DataFrame]:
    """Score sessions as they close, each whole: the columns of `scoring.score_bundle`, lines counted from 0.

    Args:
        blocks: bytes of a text log in any cut; an empty one means that nothing came.
        timeout: seconds without a line of it after which a session closes: by the times in the log, which go on by
            the clock while nothing comes, or by the clock alone where the lines have none.

    Raises:
        DataError: the data set cannot read the lines.
        UnfitError: the windower counts lines, so it needs all of them at once.
    """
    windower = bundle.parts["windower"]
    if not getattr(windower.build(), "piecewise", True):
        raise UnfitError(f"standard input: windower {windower.name} counts lines; give them in a file, by --data")
    live = _Live(bundle, timeout, device, clock)
    rest: list[bytes] = []
    for block in blocks:
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


@dataclass
class _Live:
    """Lines of open sessions: `line`, `unit`, `shape`, `raw`, `seen` (seconds, when the line came)."""

    bundle: Bundle
    timeout: float
    device: str
    clock: Callable[[], float]
    lines: int = 0
    open: pl.DataFrame = field(default_factory=pl.DataFrame)
    newest: float = 0.0
    arrived: float = 0.0
    pieces: Pieces | None = None

    def __post_init__(self) -> None:
        with tempfile.NamedTemporaryFile(suffix=".log") as file, contextlib.suppress(DataError):
            opened = self.bundle.parts["dataset"].build().read(Path(file.name))
            if isinstance(opened, Lines) and opened.form is not None:
                self.pieces = Pieces(opened.form)

    def take(self, text: bytes) -> None:
        """Whole lines that came."""
        self._read(self.pieces.take(text) if self.pieces else text)

    def rest(self) -> None:
        """Nothing came for a while, or nothing will: the last event is whole."""
        if self.pieces:
            self._read(self.pieces.rest())

    def _read(self, text: bytes) -> None:
        """Read events through the data set's own reader, and keep what belongs to a session."""
        if not text:
            return
        with tempfile.NamedTemporaryFile(suffix=".log") as file:
            file.write(text)
            file.flush()
            opened = self.bundle.parts["dataset"].build().read(Path(file.name))
            if not isinstance(opened, Lines):
                raise DataError("standard input: this model scores key sequences, give a file by --data")
            frame = opened.frame.with_columns((pl.col("line") + self.lines).cast(pl.UInt32))
            windower, parser = self.bundle.parts["windower"].build(), self.bundle.vocabulary.parser
            read = pl.concat(batches(replace(opened, frame=frame), windower, parser, silent, True, self.lines))
            text_of = "raw" if "raw" in frame.collect_schema() else "message"
            raw = frame.select("line", raw=text_of).collect()
        self.lines += len(raw)
        self.arrived = self.clock()
        seen = pl.col("time").dt.epoch("us") / 1e6 if "time" in read.columns else pl.lit(self.arrived)
        kept = read.filter(pl.col("unit").is_not_null()).with_columns(
            pl.col("unit", "shape").cast(pl.String), seen=seen
        )
        kept = kept.join(raw, on="line", how="left", maintain_order="left")
        self.open = pl.concat([self.open, kept], how="diagonal")
        if len(kept):
            self.newest = max(self.newest, float(kept["seen"].to_numpy().max()))

    def close(self, everything: bool = False) -> Iterator[pl.DataFrame]:
        """Score the sessions that are over and forget them."""
        if not len(self.open):
            return
        now = self.newest + (self.clock() - self.arrived)
        last = self.open.group_by("unit").agg(pl.col("seen").max())
        over = last.filter(pl.lit(everything) | (pl.col("seen") + self.timeout < now))["unit"]
        ended = self.open.filter(pl.col("unit").is_in(over.implode()))
        if len(ended):
            self.open = self.open.filter(~pl.col("unit").is_in(over.implode()))
            yield self._scored(ended)

    def _scored(self, ended: pl.DataFrame) -> pl.DataFrame:
        kinds = {name: pl.Categorical(pl.Categories.random()) for name in ("unit", "shape")}
        grouped = group_lines(coded([ended.cast(kinds)]), self.bundle.vocabulary.parser)  # type: ignore[arg-type]
        frame = score_grouped(self.bundle, grouped, Context(device=self.device))
        raw = ended.select("line", "raw").unique("line").with_columns(pl.col("line").cast(pl.Int64))
        return frame.join(raw, on="line", how="left", maintain_order="left")
