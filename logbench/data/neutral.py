"""Units as models get them: nothing but keys, and times and labels where a model may have them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from .derived import derived, hand_on
from .sessions import Sessions


def neutral(sessions: Sessions, *, times: bool, labelled: bool = False, line_labels: bool = False) -> Sessions:
    """The same units with ids that say nothing and weights of 1, without line numbers: each may tell the label.

    The arrays are read-only.

    Args:
        times, labelled, line_labels: whether times, the labels of units and those of events stay.
    """
    asked = {"labels": labelled, "line_labels": line_labels, "times": times}
    # A column that nobody asks for is left out, so that one that is added tells nothing by mistake.
    gone = [name for name, column in Sessions.columns.items() if column.optional and not asked.get(name)]
    bare = replace(sessions.drop(*gone), ids=neutral_ids(np.arange(len(sessions))), weights=np.ones(len(sessions)))
    hand_on(derived(sessions), bare)
    for values in (bare.offsets, *(getattr(bare, name) for name in Sessions.columns)):
        if isinstance(values, np.ndarray):
            values.flags.writeable = False
    return bare


def neutral_ids(numbers: Any) -> pl.Series:
    """Ids that say nothing: the place of each unit among those handed out, String [units].

    Args:
        numbers: int64 [units].
    """
    return pl.Series("unit", numbers, dtype=pl.Int64).cast(pl.String)
