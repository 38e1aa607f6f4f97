"""Progress bars on standard error, with stage, rate and time left; silent if that is no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from .escapes import printable
from .progress import Progress
from .screen import folded, screen_width
from .terminal import unescaped

# Seconds between lines where there are no bars.
BEAT_S = 30.0


class Bars:
    """Shows one bar at a time, named after the stage. Prints each note once, above the bar.

    Attributes:
        enabled: show bars; by default if standard error is a terminal.
        beats: it is none, so that a line every `BEAT_S` seconds tells that the command runs.
    """

    def __init__(self, enabled: bool | None = None) -> None:
        self.enabled = sys.stderr.isatty() if enabled is None else enabled
        self.beats = enabled is None and not self.enabled
        self._begun = self._beat = time.monotonic()
        self._bar: Any = None
        self._last = 0.0
        self._noted: set[str] = set()

    def __enter__(self) -> Bars:
        if self.enabled:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn("{task.description:<10}", markup=False),
                BarColumn(bar_width=24),
                TextColumn("{task.percentage:>3.0f}%"),
                TextColumn("{task.fields[rate]:>14}"),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                TextColumn("{task.fields[detail]}", markup=False),
                console=Console(file=unescaped(sys.stderr)),
                transient=True,
            )
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    @contextmanager
    def stage(self, name: str) -> Iterator[Progress]:
        """Show a bar called `name` and give a `Progress` that may be called at any rate."""
        if self._bar is None:
            yield lambda done, total=None, detail="": self.beat(
                " ".join(filter(None, [name, f"{done / total:.0%}" if total else "", detail]))
            )
            return
        bar, started = self._bar, time.monotonic()
        task = bar.add_task(printable(name), total=None, rate="", detail="")

        def report(done: float, total: float | None = None, detail: str = "") -> None:
            now = time.monotonic()
            if now - self._last > 0.05 or done == total:
                self._last = now
                rate = f"{done / max(now - started, 1e-9):,.0f}/s"
                bar.update(task, completed=done, total=total, rate=rate, detail=printable(detail))

        try:
            yield report
        finally:
            bar.remove_task(task)

    def beat(self, text: str) -> None:
        """Say what runs, in a line, if none was said for `BEAT_S`; may be called at any rate."""
        now = time.monotonic()
        if self.beats and now - self._beat >= BEAT_S:
            self._beat = now
            minutes, seconds = divmod(int(now - self._begun), 60)
            print(printable(f"{minutes}:{seconds:02} running: {text}"), file=sys.stderr, flush=True)  # noqa: T201

    def note(self, text: str) -> None:
        """Print one line on standard error, unless an earlier run printed the same."""
        if text in self._noted:
            return
        self._noted.add(text)
        self._beat = time.monotonic()
        text = folded(printable(text), screen_width(sys.stderr))
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            print(text, file=sys.stderr)  # noqa: T201
