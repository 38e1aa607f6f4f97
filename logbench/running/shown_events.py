"""The events of a few units worth a look: false alarms, missed and found anomalies, event by event."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..base.progress import silent
from ..data.neutral import neutral
from ..data.per_unit import events_of_units
from ..data.scores import Scores, spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..api.contracts import Context
    from ..data.sessions import Sessions

# Units of a kind, and events of a unit, the first ones.
UNITS, EVENTS = 6, 400
# Columns that say in which order units are shown, and which of them are equal.
ORDER = ("index", "short", "score", "sequence")


def shown_units(frame: pl.DataFrame) -> NDArray[np.int64]:
    """Indices of the units: of each kind those of the highest scores, short ones last, of equal sequences one.

    Args:
        frame: decided, see `verdicts.Decision`.
    """
    verdict, label = pl.col("verdict"), pl.col("label")
    kinds = (verdict & (label == 0), ~verdict & (label == 1), verdict & (label == 1), verdict & (label < 0))
    known = (pl.col("part") == "test") & pl.col("score").is_not_null()
    chosen = [frame.lazy().filter(known & kind).select(ORDER) for kind in kinds]  # few columns are sorted
    found = [
        one.sort("short", "score", descending=[False, True], maintain_order=True)
        .unique("sequence", keep="first", maintain_order=True)
        .head(UNITS)
        for one in pl.collect_all(chosen)
    ]
    return np.asarray(pl.concat(found)["index"].to_numpy())


def shown_events(
    frame: pl.DataFrame, sessions: Sessions, model: Any, context: Context, needs: Set[str], least: int
) -> pl.DataFrame:
    """A row an event: `index` of its unit, `event` (place in it), `key` (Int32), `line` (Int64, from 0, or null),
    `score` (Float64, −∞ where the model cannot say, null where it has none of events).

    The model scores these few units once more, now event by event.

    Args:
        frame: decided. least: events below which a unit is short, so that the model does not score it.
    """
    units = shown_units(frame)
    positions, _ = events_of_units(sessions.offsets, units)
    owners = np.repeat(units, sessions.lengths[units])
    within = positions - sessions.offsets[:-1][owners]
    long = sessions.lengths[owners] >= least
    scores = _scores(sessions, units[sessions.lengths[units] >= least], model, context, needs)
    lines = None if sessions.lines is None else sessions.lines[positions]
    every = np.arange(len(positions))
    table = {
        "index": pl.Series(owners, dtype=pl.Int64),
        "event": pl.Series(within, dtype=pl.Int64),
        "key": pl.Series(sessions.keys[positions], dtype=pl.Int32),
        "line": spread(lines, every, len(every), pl.Int64),
        "score": spread(scores, np.flatnonzero(long), len(every), pl.Float64),
    }
    return pl.DataFrame(table).filter(pl.col("event") < EVENTS)


def _scores(
    sessions: Sessions, units: NDArray[np.int64], model: Any, context: Context, needs: Set[str]
) -> NDArray[np.float64] | None:
    """Scores of the events of these units, in their order; None where the model has none."""
    if not len(units):
        return None
    asked = neutral(sessions, needs, units=units)
    answer = model.score(asked, replace(context, events=True, progress=silent))
    return Scores.of(answer, len(asked), "", len(asked.keys)).events
