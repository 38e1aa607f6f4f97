"""Units as models get them: nothing but keys, and times, texts and labels where a model may have them."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from .derived import derived, hand_on
from .message_needs import NEEDS
from .sessions import Sessions

if TYPE_CHECKING:
    from numpy.typing import NDArray


def neutral(
    sessions: Sessions, needs: Set[str], *, units: NDArray[Any] | None = None, labelled: bool = False
) -> Sessions:
    """Units with ids that say nothing and weights of 1, without line numbers: each may tell the label.

    The arrays are read-only.

    Args:
        units: see `Sessions.take`; None: all.
        needs: what the model needs (`ModelTraits.needs`): a column that it does not name is left out.
        labelled: labels of units stay, and those of events where they are needed.
    """
    stays = (needs - {"line_labels"}) | ({"labels", *needs & {"line_labels"}} if labelled else set())
    # A column that nobody asks for is left out, so that one that is added tells nothing by mistake.
    gone = [
        name
        for name, column in Sessions.columns.items()
        if column.optional and stays.isdisjoint(column.needs or (name,))
    ]
    shown = sessions.drop(*gone, *([] if needs & NEEDS else ["raw"]))
    taken = shown if units is None else shown.take(units)
    bare = replace(taken, ids=neutral_ids(np.arange(len(taken))), weights=np.ones(len(taken)))
    bare = replace(bare, raw=bare.raw and bare.raw.showing(needs))
    hand_on(derived(taken), bare)
    for values in (bare.offsets, bare.vectors, *(getattr(bare, name) for name in Sessions.columns)):
        if isinstance(values, np.ndarray):
            values.flags.writeable = False
    return bare


def neutral_ids(numbers: Any) -> pl.Series:
    """Ids that say nothing: the place of each unit among those handed out, String [units].

    Args:
        numbers: int64 [units].
    """
    return pl.Series("unit", numbers, dtype=pl.Int64).cast(pl.String)
