"""When units happened, and where the first anomalous line is in each: columns that evaluators see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ..data.scores import FIRST_ALARM, KINDS, MOMENTS
from ..data.scores import spread as column_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..data.sessions import Sessions


def moments_of(sessions: Sessions, units: NDArray[np.int64]) -> dict[str, pl.Series]:
    """The columns `MOMENTS` of some units, Int64 each; null where data have no times or no labels of lines.

    Args:
        units: int64 [chosen], indices of the units.
    """
    size, at = len(sessions), np.flatnonzero(sessions.lengths > 0)
    starts = sessions.offsets[at]
    first, last, place, moment = (column_of(None, at, size, pl.Int64) for _ in MOMENTS)
    if sessions.times is not None and len(at):
        first = column_of(np.minimum.reduceat(sessions.times, starts), at, size, pl.Int64)
        last = column_of(np.maximum.reduceat(sessions.times, starts), at, size, pl.Int64)
    if sessions.line_labels is not None:
        events = np.flatnonzero(sessions.line_labels == 1)
        anomalous, begin = np.unique(sessions.units[events], return_index=True)
        places = events[begin]
        place = column_of(places - sessions.offsets[anomalous], anomalous, size, pl.Int64)
        if sessions.times is not None:
            moment = column_of(sessions.times[places], anomalous, size, pl.Int64)
    return {name: values.gather(units) for name, values in zip(MOMENTS, (first, last, place, moment), strict=True)}


def with_moments(units: pl.DataFrame) -> pl.DataFrame:
    """The same with all columns of `MOMENTS`, `FIRST_ALARM`, `KINDS`: null where not known, as in older runs."""
    columns = {**dict.fromkeys((*MOMENTS, *FIRST_ALARM), pl.Int64()), **KINDS}
    lacking = ((name, dtype) for name, dtype in columns.items() if name not in units.columns)
    return units.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in lacking)
