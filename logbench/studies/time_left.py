"""How long a study of many runs still takes, by the runs that have ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean

from ..api.record_sections import Record


def seconds_of(record: Record) -> float:
    """Wall seconds of a run's stages."""
    return sum(stage["wall_s"] for stage in record["stages"].values())


class TimeLeft:
    """Rate and seconds left of runs, as text to stand behind a count.

    A run is expected to take the mean of the ended runs of its name, or else of all that have ended.

    Args:
        names: of each run what tells how long it takes, such as its model. jobs: runs side by side.
        clock: seconds.
    """

    def __init__(self, names: Sequence[str], jobs: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self._names, self._jobs, self._clock = names, max(1, jobs), clock
        self._took: dict[int, float] = {}
        self._since: dict[int, float] = {}
        self._first: float | None = None
        self._done_here = 0

    def running(self, numbers: Iterable[int]) -> None:
        """Say which runs run now."""
        now = self._clock()
        self._first = now if self._first is None else self._first
        self._since = {number: self._since.get(number, now) for number in numbers}

    def ended(self, number: int, seconds: float) -> None:
        """Say that a run has ended, and how long it took."""
        self._took[number] = seconds
        self._done_here += self._since.pop(number, None) is not None

    def over(self, number: int) -> None:
        """Say that a run has ended that ran since it was first said to run."""
        now = self._clock()
        self.ended(number, now - self._since.get(number, now))

    def seconds(self) -> float | None:
        """Seconds left; None before any run has ended."""
        if not self._took:
            return None
        now, every = self._clock(), fmean(self._took.values())
        left = 0.0
        for number, name in enumerate(self._names):
            if number not in self._took:
                alike = [took for at, took in self._took.items() if self._names[at] == name]
                expected = fmean(alike) if alike else every
                left += max(0.0, expected - (now - self._since.get(number, now)))
        return left / min(self._jobs, max(1, len(self._names) - len(self._took)))

    def __str__(self) -> str:
        """Such as `, 2.4 a minute, 3:20 left`; empty while nothing is known."""
        left = self.seconds()
        if left is None or len(self._took) == len(self._names):
            return ""
        minutes = (self._clock() - self._first) / 60 if self._first is not None else 0.0
        rate = f", {self._done_here / minutes:.2g} a minute" if self._done_here and minutes > 0 else ""
        return f"{rate}, {clock_text(left)} left"


def clock_text(seconds: float) -> str:
    """Such as `3:20`, or `1:03:20` from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
