"""Open sessions of a stream: lines go in, and each session that has ended comes out scored."""

from __future__ import annotations

import base64
import contextlib
import io
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from ..api.contracts import Context
from ..api.optional_models import Updates
from ..api.optional_windowers import Continues, HasSilence
from ..base.errors import DataError, IncompatibleError
from ..base.progress import silent
from ..base.temporary_folders import temporary_folder
from ..data.lines import Lines, text_of
from ..data.message_file import MessageFile
from ..data.message_needs import NEEDS
from ..pipeline.coding import batches, encode_lines, given_of
from ..pipeline.grouping import group_lines
from ..reading.byte_streams import LONGEST
from ..running.bundle import Bundle
from ..running.needs import check_needs
from .model_files import files_of, load_files
from .pipe import Pieces
from .score_files import score_grouped, with_places
from .stream_clock import StreamClock

# Name of the file for each piece, and so of the session if sessions are files.
NAME = "stdin.log"
# First bytes of gzip, zstandard and zip.
PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04")
# Closed sessions that are remembered, to tell lines that come too late.
REMEMBERED = 10_000


@dataclass
class LiveSessions:
    """State between two pieces of the stream.

    Attributes:
        timeout: seconds of silence after which a session is over.
        threshold: units that score above it alarm; None: the bundle's own.
        alarmed: is given alarms and their lines, see `AlarmLines.take`.
        lines: number of events read.
        before: number of text lines read.
        open: lines of open sessions: `line`, `unit`, `shape`, `raw`, `text`, `at`, `moment` and `on` (time and
            node, see `Lines.located`), `seen` (how far the stream had come, seconds), and `message` if asked for.
        silence: seconds after which the windower ends a session; 0: it does not.
        newest: the latest `seen`.
        progress: how far the stream has come by the times in the log.
        closed: the last sessions that were closed.
        arrived: clock at the last piece, seconds.
        time: time in the last line.
        facts: counts of unparsed and similar lines, and of lines without session.
        pieces: cuts the lines so that each piece reads like a whole file; None where the data set has no format.
        partial: a line that has not ended yet.
        size: number of bytes read.
    """

    bundle: Bundle
    timeout: float
    device: str
    clock: Callable[[], float] = time.monotonic
    threshold: float | None = None
    alarmed: Callable[[pl.DataFrame, pl.DataFrame], None] | None = None
    lines: int = 0
    before: int = 0
    open: pl.DataFrame = field(default_factory=pl.DataFrame)
    silence: float = 0.0
    newest: float = 0.0
    progress: StreamClock = field(default_factory=StreamClock)
    closed: dict[str, None] = field(default_factory=dict)
    arrived: float = 0.0
    time: datetime | None = None
    facts: Counter[str] = field(default_factory=Counter)
    pieces: Pieces | None = None
    partial: bytes = b""
    size: int = 0

    def __post_init__(self) -> None:
        self.windower = self.bundle.parts["windower"].build()
        self.silence = self.windower.silence if isinstance(self.windower, HasSilence) else 0.0
        self.timeout = max(self.timeout, self.silence)
        self.arrived = self.clock()
        self._by_place = self.bundle.parts["windower"].entry.item.traits.line_windows and not self.silence
        if isinstance(self.windower, Continues):
            self.windower.go_on()
        with tempfile.NamedTemporaryFile(suffix=".log") as file, contextlib.suppress(DataError):
            opened = self.bundle.read(Path(file.name))
            if isinstance(opened, Lines) and opened.form is not None:
                self.pieces = Pieces(opened.form)
                if "\n".encode(encoding := opened.form.encoding) != b"\n":
                    raise IncompatibleError(
                        f"standard input: {encoding} cannot be cut into lines; give a file by --data"
                    )

    @property
    def updates(self) -> bool:
        """Whether the model learns from the units that it scored."""
        return isinstance(self.bundle.model, Updates)

    @property
    def sessions(self) -> int:
        """How many sessions are open."""
        return self.open["unit"].n_unique() if len(self.open) else 0

    def figures(self) -> dict[str, float]:
        """Figures of the stream, by their names in `prometheus`."""
        return {
            "logbench_read_bytes_total": self.size,
            "logbench_lines_total": self.lines,
            "logbench_late_lines_total": self.facts["late_lines"],
            "logbench_unmatched_lines_total": self.facts["unmatched_lines"],
            "logbench_open_sessions": self.sessions,
        }

    def state(self) -> dict[str, Any]:
        """JSON values from which `restore` goes on."""
        return {
            "partial": self.partial.decode("latin-1"),
            "size": self.size,
            "lines": self.lines,
            "before": self.before,
            "newest": self.newest,
            "progress": self.progress.state(),
            "closed": list(self.closed),
            "time": None if self.time is None else self.time.isoformat(),
            "facts": dict(self.facts),
            "pieces": self.pieces.state() if self.pieces else None,
            "windower": self.windower.memory if isinstance(self.windower, Continues) else None,
            "model": files_of(self.bundle.model) if self.updates else None,
            "open": _packed(self.open),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`. Time that passed meanwhile is no silence: lines of it may still come."""
        self.partial = state["partial"].encode("latin-1")
        self.size, self.lines, self.before = state["size"], state["lines"], state["before"]
        self.newest = state["newest"]
        self.progress = StreamClock.of(state["progress"])
        self.closed = dict.fromkeys(state["closed"])
        self.time = None if state["time"] is None else datetime.fromisoformat(state["time"])
        self.facts = Counter(state["facts"])
        self.open = _unpacked(state["open"])
        if self.pieces and state["pieces"]:
            self.pieces.restore(state["pieces"])
        if isinstance(self.windower, Continues):
            self.windower.go_on(state["windower"])
        if state["model"] is not None:
            load_files(self.bundle.model, state["model"])
        if "time" not in self.open.columns or self._by_place:  # the clock of another process
            self.newest = self.arrived
            self.open = self.open.with_columns(seen=pl.lit(self.arrived)) if len(self.open) else self.open

    def feed(self, block: bytes) -> None:
        """Read the whole lines of a block; without any bytes it is a silence, and the last event is complete.

        Raises:
            DataError: the stream is compressed, a line has no end, or the data set cannot read the lines.
        """
        self.size += len(block)
        if not self.lines and not self.partial and block.startswith(PACKED):
            raise DataError("standard input: is compressed; decompress it: zcat new.log.gz | logbench score …")
        cut = block.rfind(b"\n") + 1
        if cut:
            self._take(self.partial + block[:cut])
            self.partial = b""
        self.partial += block[cut:]
        if len(self.partial) > LONGEST:
            raise DataError(f"standard input: a line of more than {LONGEST:,} bytes; is this a text log?")
        if not block and self.pieces:
            self._read(self.pieces.rest())

    def finish(self) -> None:
        """Read what is left at the end of input: a line without an end, and the last event."""
        self._take(self.partial)
        self.partial = b""
        if self.pieces:
            self._read(self.pieces.rest())

    def _take(self, lines: bytes) -> None:
        if lines:
            whole = self.pieces.take(lines) if self.pieces else lines
            if self.pieces and not self.before:
                self.before = self.pieces.skipped
            self._read(whole)

    def _read(self, text: bytes) -> None:
        """Read events by the data set's own reader, and keep those of sessions."""
        if not text:
            return
        with temporary_folder() as folder:
            file = folder / NAME
            file.write_bytes(text)
            opened = self.bundle.read(file)
            if not isinstance(opened, Lines):
                raise DataError("standard input: this model scores key sequences, give a file by --data")
            check_needs(self.bundle.parts["model"], self.bundle.parts["dataset"].name, opened, scoring=True)
            frame = self._placed(opened).collect()
            self.facts.update(opened.counted() if opened.counted else {})
        given = given_of(replace(opened, frame=frame.lazy()), self.bundle.vocabulary.parser, self.lines)
        read = pl.concat(batches(given, self.windower, silent, True))
        self.lines += len(frame)
        self.before += text.count(b"\n") - (1 if self.pieces and self.pieces.headed else 0)
        self.arrived = self.clock()
        if "time" in frame.columns:
            self.time = frame["time"][-1]
        asks = bool(self.bundle.parts["model"].entry.item.traits.shown & NEEDS)
        self._keep(read, frame.select("line", "raw", "text", "at", "moment", "on", *(["message"] if asks else [])))

    def _placed(self, opened: Lines) -> pl.LazyFrame:
        """Number the lines in the whole stream; a line without a time gets that of the line before."""
        schema = opened.frame.collect_schema()
        frame = opened.frame.with_columns(
            line=(pl.col("line") + self.lines).cast(pl.UInt32),
            raw="raw" if "raw" in schema else "message",
            text=text_of(opened),
            at=(pl.col("at" if "at" in schema else "line").cast(pl.Int64) + self.before + ("at" not in schema)),
            moment=pl.col("time") if "time" in schema else pl.lit(None, pl.Datetime("us")),
            on=pl.col("node").cast(pl.String) if "node" in schema else pl.lit(None, pl.String),
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
        self.open = pl.concat([self.open, kept], how="diagonal")
        self.newest = max(self.newest, *seen.tail(1), self.progress.now)

    def _seen(self, read: pl.DataFrame) -> pl.Series:
        """How far the stream had come at each line, seconds: by the times in the log, else by the clock.

        Windows that are made by place alone, such as of equally many lines, end by no silence in the log.
        """
        if "time" not in read.columns or self._by_place:
            return pl.Series("seen", [self.arrived], dtype=pl.Float64).new_from_index(0, len(read))
        stamps = (read["time"].dt.epoch("us") / 1e6).to_list()
        return pl.Series("seen", self.progress.read(stamps), dtype=pl.Float64)

    def close(self, everything: bool = False) -> Iterator[pl.DataFrame]:
        """Score the sessions that have ended, and drop their lines."""
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
        context = Context(device=self.device)
        frame = score_grouped(self.bundle, grouped, context, self.threshold, self.updates)
        if self.alarmed is not None and len(alarms := frame.filter("verdict")):
            whole = ended.filter(pl.col("unit").is_in(alarms["unit"].implode()))
            number = pl.col("line").cast(pl.Int64)
            self.alarmed(alarms, whole.select("unit", "raw", "text", number=number, line="at"))
        places = ended.select(pl.col("line").cast(pl.Int64), "raw", "text", "at", time="moment", node="on").unique(
            "line"
        )
        return with_places(frame, places)


def _packed(frame: pl.DataFrame) -> str:
    buffer = io.BytesIO()
    frame.write_ipc(buffer, compression="zstd")
    return base64.b64encode(buffer.getvalue()).decode()


def _unpacked(text: str) -> pl.DataFrame:
    return pl.read_ipc(io.BytesIO(base64.b64decode(text)))
