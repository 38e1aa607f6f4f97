"""How far a stream has come, in seconds, by the times in its lines: a clock that no single line can set.

A log is no one clock. Hosts are behind or ahead, summer time begins and ends, a line may come from the future.
So each line is read by the clock that it agrees with best, and moves time on by that clock's step alone. A line
that agrees with none begins a clock of its own; only where the others stay silent for a few lines was it a real
silence, and time moves on by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

# Seconds that a line may be before or after what its clock shows, and lines that make a jump a real one.
AGREES, SURE = 300.0, 3
# Seconds of summer time, and how far a jump may be from that.
SUMMER, ABOUT = 3600.0, 30.0


@dataclass
class _Clock:
    """A clock of the log: `offset` is what it shows less how far the stream has come.

    Attributes:
        jump: seconds from the clock before it to this one. lines: lines read by it since it began.
    """

    offset: float
    jump: float = 0.0
    lines: int = 0


@dataclass
class StreamClock:
    """Seconds that a stream has come, which never go back.

    Attributes:
        now: seconds of progress since the first line.
    """

    now: float = 0.0
    _clocks: list[_Clock] = field(default_factory=list)
    _pending: _Clock | None = None

    def read(self, stamps: Iterable[float | None]) -> list[float]:
        """How far the stream has come at each line.

        Args:
            stamps: the times in the lines in order of arrival, seconds; None where a line has none.
        """
        return [self.now if stamp is None else self._read(stamp) for stamp in stamps]

    def state(self) -> dict[str, Any]:
        """JSON values from which `of` goes on."""
        pending = next((at for at, clock in enumerate(self._clocks) if clock is self._pending), None)
        return {"now": self.now, "clocks": list(map(asdict, self._clocks)), "pending": pending}

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> StreamClock:
        """The clock that had this state."""
        clocks = [_Clock(**clock) for clock in state["clocks"]]
        return cls(state["now"], clocks, None if state["pending"] is None else clocks[state["pending"]])

    def _read(self, stamp: float) -> float:
        if not self._clocks:
            self._clocks.append(_Clock(stamp - self.now))
        clock = min(self._clocks, key=lambda one: abs(stamp - one.offset - self.now))
        step = stamp - clock.offset - self.now
        if abs(step) > AGREES:
            clock = _Clock(stamp - self.now, jump=step)
            self._clocks = [*self._clocks[-7:], clock]
            self._pending, step = clock, 0.0
        elif clock is not self._pending:
            self._pending = None  # the others go on: a host's own clock, or one wrong line
        clock.lines += 1
        self.now += max(step, 0.0)
        if clock is self._pending and clock.lines >= SURE:
            self._settle(clock)
        return self.now

    def _settle(self, clock: _Clock) -> None:
        """The log goes on by this clock alone, after a silence, unless summer time began or it was set back."""
        if clock.jump > 0 and abs(clock.jump - SUMMER) > ABOUT:
            self.now += clock.jump
            clock.offset -= clock.jump
        self._clocks, self._pending = [clock], None
