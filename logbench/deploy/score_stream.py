"""Score a stream of lines with a saved model.

A session is scored after `timeout` seconds of silence, or at the end of input.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import polars as pl

from ..api.optional_windowers import Piecewise
from ..base.errors import IncompatibleError
from ..running.bundle import Bundle
from ..running.data_warnings import left_over
from .live_sessions import LiveSessions
from .resume import Source


class Keeper(Protocol):
    """Keeps what a stream goes on from.

    Attributes:
        stream: what the last stream ended with, see `pause`; None before the first one.
    """

    @property
    def stream(self) -> Mapping[str, Any] | None:
        """See above."""

    def pause(self, values: Callable[[], dict[str, Any]], figures: Mapping[str, float], idle: bool) -> None:
        """Called after each block, once its frames were taken.

        Args:
            values: gives JSON values to go on from.
            figures: of the stream, see `LiveSessions.figures`.
            idle: nothing comes just now.
        """


def score_stream(
    bundle: Bundle,
    blocks: Iterator[bytes],
    timeout: float,
    device: str,
    clock: Callable[[], float] = time.monotonic,
    note: Callable[[str], None] = lambda _: None,
    threshold: float | None = None,
    keeper: Keeper | None = None,
    finish: bool = True,
    alarmed: Callable[[pl.DataFrame, pl.DataFrame], None] | None = None,
) -> Iterator[pl.DataFrame]:
    """Score whole sessions as they close: the columns of `score_files.score_bundle` without `file`.

    Args:
        blocks: blocks of any size of a text log; an empty block means silence.
        timeout: seconds without a line after which a session closes. Time is the time in the log, which the clock
            continues during silence, or the clock alone if lines have no times. At least the `silence` that a
            windower declares, such as the length of a time window.
        threshold: units that score above it alarm; None: the bundle's own.
        keeper: says what the stream goes on from, and keeps it.
        finish: score what is open at the end of input.
        alarmed: is given alarms and their lines, see `AlarmLines.take`.

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
    live, source = LiveSessions(bundle, timeout, device, clock, threshold, alarmed), Source()
    if keeper is not None:
        if keeper.stream is not None:
            live.restore(keeper.stream["sessions"])
            source = Source(**keeper.stream["source"])
        blocks = source.follow(blocks, note)

    def values() -> dict[str, Any]:
        return {"sessions": live.state(), "source": source.state()}

    for block in blocks:
        live.feed(block)
        yield from live.close()
        if keeper is not None:
            keeper.pause(values, live.figures(), idle=not block)
    if finish:
        live.finish()
        yield from live.close(everything=True)
    if keeper is not None:
        keeper.pause(values, live.figures(), idle=True)
    if warning := left_over(live.facts):
        note(warning)
