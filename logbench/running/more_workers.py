"""When another worker process pays, for `--jobs auto`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import fmean

from ..base.system import psutil

# Least seconds that a worker needs before its first model, because libraries load.
START_S = 2.0
# How often its start the models that wait must take: both halves of the work go on beside it.
WORTH = 2.0
# Share of a core that must have been idle, and over how many seconds. The load would count what this command read
# itself, for a minute after it has ended.
IDLE, LOOK_S = 0.5, 1.0
# Free memory that another worker must find, as a multiple of the largest one's.
ROOM = 1.5


@dataclass
class Pays:
    """Compares what a worker must do before its first model with the models that wait.

    Another worker prepares the data once more, so it pays where a core is idle and the models that wait take twice
    as long as that.

    Attributes:
        clock: seconds.
    """

    clock: Callable[[], float] = time.monotonic
    _prepared: float | None = None
    _took: list[float] = field(default_factory=list)
    _since: dict[int, float] = field(default_factory=dict)
    _looked: tuple[float, float] | None = None
    _idle: float = 0.0

    def given(self, number: int) -> None:
        """A plan was given to a worker."""
        self._since[number] = self.clock()

    def begun(self, number: int) -> None:
        """Its model begins to fit."""
        now = self.clock()
        if self._prepared is None:
            self._prepared = max(START_S, now - self._since[number])
        self._since[number] = now
        if self._looked is None:  # now that nothing is read any more
            self._looked = now, psutil.cpu_times().idle

    def ended(self, number: int) -> None:
        """It has ended."""
        self._took.append(self.clock() - self._since.pop(number))

    def another(self, waiting: int, largest_mb: float) -> bool:
        """Whether one more worker is worth its start.

        Args:
            waiting: plans that no worker has. largest_mb: resident memory of the largest worker, MB.
        """
        if self._prepared is None or psutil.virtual_memory().available / (1 << 20) < ROOM * largest_mb:
            return False
        if self._idle_cores() < IDLE:
            return False
        now = self.clock()
        sofar = max((now - since for since in self._since.values()), default=0.0)
        expected = max(fmean(self._took) if self._took else 0.0, sofar)
        return waiting * expected > WORTH * self._prepared

    def _idle_cores(self) -> float:
        """How many cores of the machine were idle lately, on average; 0 as long as it is not known."""
        assert self._looked is not None
        before, idle = self._looked
        now = self.clock()
        if now - before >= LOOK_S:
            idle_now = psutil.cpu_times().idle
            self._idle, self._looked = (idle_now - idle) / (now - before), (now, idle_now)
        return self._idle
