"""Parse durations such as `30m`."""

from __future__ import annotations

import re

from logbench import ConfigError

UNITS = {
    "us": 1,
    "ms": 10**3,
    "s": 10**6,
    "m": 60 * 10**6,
    "h": 3600 * 10**6,
    "d": 86_400 * 10**6,
    "w": 604_800 * 10**6,
}
# Windows that a line may be in.
MOST = 10_000


def microseconds(size: str, stride: str) -> tuple[int, int]:
    """Length and stride of a window in microseconds; a stride `"0"` is the length.

    Raises:
        ConfigError: no duration, or a stride that leaves lines in no window, or in too many.
    """
    long = duration("time.size", size)
    step = long if stride.strip() == "0" else duration("time.stride", stride)
    if step > long:
        raise ConfigError(f"time.stride={stride} is larger than time.size={size}: lines would be in no window")
    check_overlap("time", long, step)
    return long, step


def check_overlap(windower: str, size: int, stride: int) -> None:
    """Refuse windows that repeat every line more often than any memory holds.

    Raises:
        ConfigError: a line would be in more than `MOST` windows.
    """
    if size > stride * MOST:
        raise ConfigError(
            f"{windower}.stride: each line would be in {-(-size // stride):,} windows, {MOST:,} are the most; "
            f"raise it, or lower {windower}.size"
        )


def duration(name: str, text: str) -> int:
    """Microseconds of a duration such as `30m`.

    Args:
        name: of the option, for errors.

    Raises:
        ConfigError: it is none.
    """
    found = re.fullmatch(r"\s*(\d{1,9})\s*(us|ms|s|m|h|d|w)\s*", text)
    if not found or not int(found[1]):
        raise ConfigError(f"{name}={text}: expected a duration such as 30m, 1h or 2d ({', '.join(UNITS)})")
    return int(found[1]) * UNITS[found[2]]
