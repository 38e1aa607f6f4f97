"""How long things took, as lines tell it in so many words: `took 25 ms`, `duration=0.3`, HAProxy's timers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ..data.lines import Lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..data.sessions import Sessions

# A name of a duration and its value, a value with its unit, HAProxy's timers, and seconds that nginx writes last.
NAMED = r"(?i)\b(?:\w*duration|elapsed|latency|took|\w*response_?time|request_?time|rt|\w*time_?ms|time_?taken)\w*"
UNIT = r"(?:\s?(ms|msec|milliseconds|us|µs|ns|s|sec|secs|seconds?)\b)"
TOLD = (
    NAMED + r"\\?[\"']?\s?[=:]\s?\\?[\"']?([0-9]+(?:\.[0-9]+)?)" + UNIT + "?",
    r"\b([0-9]+(?:\.[0-9]+)?)" + UNIT,
    r" (?:-?[0-9]+/){3,4}\+?([0-9]+) ()",
    r"[\" ]([0-9]+\.[0-9]{3,6})\"?()$",
)
# By the first letters of a unit. What has none is compared as it stands.
SCALES = {"ms": 1e-3, "mi": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
# Events that tell a duration, and units that have one, below which nothing is compared.
FEW, UNITS = 200, 20


def durations_of(lines: Lines) -> NDArray[np.float64]:
    """What each line tells of a duration, seconds where it names a unit, NaN where it does not: float64 [n]."""
    raw = pl.col("raw" if "raw" in lines.frame.collect_schema() else "message")
    seconds = [
        raw.str.extract(regex, 1).cast(pl.Float64, strict=False)
        * raw.str.extract(regex, 2).str.head(2).replace_strict(SCALES, default=1.0, return_dtype=pl.Float64)
        for regex in TOLD
    ]
    told = pl.coalesce(seconds)
    return lines.frame.select(told.alias("told")).collect(engine="streaming")["told"].fill_null(np.nan).to_numpy()


def slowness(sessions: Sessions, told: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """How unusually long the events of each unit took, each against others of its key.

    Args:
        told: see `durations_of`.

    Returns:
        Of each unit z, a robust standard score; and of each event by how many nats it took longer than the middle
        one of its key, NaN where that is not known. Empty arrays where too few tell a duration.
    """
    assert sessions.lines is not None
    longer = np.log1p(told[sessions.lines] * 1000)
    known = np.flatnonzero(np.isfinite(longer))
    if len(known) < FEW:
        return np.empty(0), np.empty(0)
    frame = pl.DataFrame({"key": sessions.keys[known], "longer": longer[known]})
    apart = frame.select(pl.col("longer") - pl.col("longer").median().over("key"))["longer"].to_numpy()
    longer[known] = apart
    spread = 1.4826 * float(np.median(np.abs(apart))) + 0.1
    unit = np.repeat(np.arange(len(sessions)), sessions.lengths)[known]
    count = np.bincount(unit, minlength=len(sessions))
    has = count > 0
    if int(has.sum()) < UNITS:
        return np.empty(0), np.empty(0)
    # Clipped, so that one event counts as much as it can alone, and a unit of many slow ones for more.
    sums = np.bincount(unit, np.clip(apart / spread, -3.0, 12.0), minlength=len(sessions))
    mean = sums[has] / np.sqrt(count[has])
    middle = float(np.median(mean))
    scale = 1.4826 * float(np.median(np.abs(mean - middle))) + 0.3
    z = np.zeros(len(sessions))
    z[has] = (mean - middle) / scale
    return z, longer
