"""Units as models get them: nothing but keys, and times and labels where a model may have them."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from .derived import derived, hand_on
from .sessions import Sessions


def neutral(sessions: Sessions, needs: Set[str], *, labelled: bool = False) -> Sessions:
    """The same units with ids that say nothing and weights of 1, without line numbers: each may tell the label.

    The arrays are read-only.

    Args:
        needs: what the model needs (`ModelTraits.needs`): a column that it does not name is left out.
        labelled: labels of units stay, and those of events where they are needed.
    """
    stays = (needs - {"line_labels"}) | ({"labels", *needs & {"line_labels"}} if labelled else set())
    # A column that nobody asks for is left out, so that one that is added tells nothing by mistake.
    gone = [name for name, column in Sessions.columns.items() if column.optional and name not in stays]
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
