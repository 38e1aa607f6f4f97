"""Explain scores: the deciding event, its raw line, the keys that the model expected there, and why it decided."""

from __future__ import annotations

from collections.abc import Set
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..data.kept import shown
from ..data.neutral import neutral
from ..data.scores import spread
from ..pipeline.grouping import GroupedLines
from ..pipeline.parsing import Vocabulary
from .said import SAID

if TYPE_CHECKING:
    from ..api.contracts import Context, RunningModel
    from ..data.sessions import Sessions

TOP = 100


def explained(
    frame: pl.DataFrame, sessions: Sessions, model: RunningModel, context: Context, needs: Set[str]
) -> pl.DataFrame:
    """Add `line` (of the deciding event, from 0), its `key`, `expected` (List[Int32], expected keys) and `why`.

    Models with a method `expected` or `explain` are asked, for alarms, missed anomalies and the top-ranked units.

    Args:
        needs: what the model needs.
    """
    units, event = frame["index"].to_numpy(), frame["decided_by"].fill_null(-1).to_numpy()
    has = event >= 0
    positions = (sessions.offsets[:-1][units] + event)[has]
    column = partial(spread, where=np.flatnonzero(has), size=len(units))
    lines = sessions.lines[positions] if sessions.lines is not None else np.full(len(positions), -1)
    result = frame.with_columns(
        line=column(lines, dtype=pl.Int64).replace(-1, None), key=column(sessions.keys[positions], dtype=pl.Int32)
    )
    return result.with_columns(_said(result, has, sessions, model, context, needs))


def _said(
    frame: pl.DataFrame, has: Any, sessions: Sessions, model: RunningModel, context: Context, needs: Set[str]
) -> list[pl.Series]:
    """What the model says of deciding events, a column a method."""
    interesting = frame.select(
        pl.col("verdict").fill_null(False)
        | (pl.col("label") == 1)
        | (pl.col("score").rank("ordinal", descending=True) <= TOP).fill_null(False)  # a dropped unit has none
    ).to_series()
    rows = np.flatnonzero(interesting.to_numpy() & has & (frame["part"] == "test").to_numpy())
    asked: Sessions | None = None
    columns = []
    for method, (name, dtype) in SAID.items():
        said = None
        if len(rows) and model.can(method):
            asked = asked or neutral(sessions, needs, units=frame["index"].to_numpy()[rows])
            events = frame["decided_by"].fill_null(-1).to_numpy()[rows]
            said = getattr(model, method)(asked, events, context).cast(dtype)
        columns.append(_spread(said, rows, len(frame), dtype).alias(name))
    return columns


def _spread(said: pl.Series | None, rows: Any, size: int, dtype: pl.DataType) -> pl.Series:
    """A column of `size` rows, null but at `rows`."""
    nothing = pl.Series([None], dtype=dtype)
    if said is None:
        return nothing.new_from_index(0, size)
    places = np.full(size, len(said), dtype=np.uint32)
    places[rows] = np.arange(len(said))
    return said.append(nothing).gather(places)


def templates_frame(grouped: GroupedLines, vocabulary: Vocabulary) -> pl.DataFrame:
    """Template of each key, known keys first: `key` (Int32), `template` (String), `known` (Boolean).

    A key outside the vocabulary has its masked message as template.
    """
    known = pl.DataFrame({"key": range(vocabulary.size), "template": vocabulary.templates, "known": True},
                         schema={"key": pl.Int32, "template": pl.String, "known": pl.Boolean})  # fmt: skip
    keys = vocabulary.lookup(grouped.messages)
    others = pl.DataFrame({"key": keys, "template": shown(grouped.messages), "known": False})
    return pl.concat([known, others.filter(pl.col("key") >= vocabulary.size)])
