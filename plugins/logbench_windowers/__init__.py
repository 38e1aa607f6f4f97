"""First-party windowers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from logbench import WindowerComponent, WindowerTraits, hookimpl, option

from .duration import check_overlap, duration, microseconds

Within = Literal["none", "node", "file"]


@dataclass(frozen=True)
class SessionConfig:
    """Options of `session`."""

    pattern: str = option("", "regular expression of a session id in the message; empty: the column below")
    column: str = option("id", "column of the lines with the session's id")
    gap: str = option("0", "silence after which an id begins another session, such as 10m; 0: it never does")

    def __post_init__(self) -> None:
        if self.gap.strip() != "0":
            duration("session.gap", self.gap)


@dataclass(frozen=True)
class TimeConfig:
    """Options of `time`."""

    size: str = option("1h", "duration of a window: a number and us, ms, s, m, h, d or w")
    stride: str = option("0", "time between the starts of two windows; 0: the size, so no overlap")
    within: Within = option("none", "windows of all lines, or of each node's or file's lines apart")

    def __post_init__(self) -> None:
        microseconds(self.size, self.stride)

    @property
    def overlaps(self) -> bool:
        """Whether a line may belong to several windows."""
        size, stride = microseconds(self.size, self.stride)
        return stride < size


@dataclass(frozen=True)
class CountConfig:
    """Options of `count`."""

    size: int = option(100, "lines of a window", ge=1)
    stride: int = option(0, "lines between the starts of two windows; 0: the size, so no overlap", ge=0)
    within: Within = option("none", "windows of all lines, or of each node's or file's lines apart")

    def __post_init__(self) -> None:
        from logbench import ConfigError

        if self.stride > self.size:
            raise ConfigError(
                f"count.stride={self.stride} is larger than count.size={self.size}: lines would be in no window"
            )
        check_overlap("count", self.size, self.stride or self.size)

    @property
    def overlaps(self) -> bool:
        """Whether a line may belong to several windows."""
        return 0 < self.stride < self.size


def _session(config: SessionConfig) -> Any:
    if config.gap.strip() != "0":
        from .gap import GapSession

        return GapSession(config.pattern, config.column, duration("session.gap", config.gap))
    from .session import Session

    return Session(config.pattern, config.column)


def _column(name: str) -> Callable[[], Any]:
    def build() -> Any:
        from .column import Column

        return Column(name)

    return build


def _time(config: TimeConfig) -> Any:
    from .time import Time

    return Time(*microseconds(config.size, config.stride), config.within)


def _count(config: CountConfig) -> Any:
    from .count import Count

    return Count(config.size, config.stride or config.size, config.within)


def _overlaps(config: TimeConfig | CountConfig) -> bool:
    return config.overlaps


CUTTING = WindowerTraits(line_windows=True, overlaps=_overlaps, unit="window")


@hookimpl
def logbench_windowers() -> Iterable[WindowerComponent[Any]]:
    """Offer units by id, node, file, time and count."""
    yield WindowerComponent("session", _session, SessionConfig, "one unit an id: every line that names it")
    for name in ("node", "file"):
        yield WindowerComponent(
            name, _column(name), None, f"one unit a {name}: every line of it", WindowerTraits(unit=name)
        )
    yield WindowerComponent("time", _time, TimeConfig, "windows of equal duration, apart or overlapping", CUTTING)
    yield WindowerComponent(
        "count", _count, CountConfig, "windows of equally many lines, apart or overlapping", CUTTING
    )
