"""Units as models get them: nothing but keys, and times and labels where a model may have them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from .sessions import Sessions

# What sessions know of their keys alone.
KEPT = ("lengths", "folded", "units", "unseen", "distinct")


def neutral(sessions: Sessions, *, times: bool, labelled: bool = False, line_labels: bool = False) -> Sessions:
    """The same units with ids that say nothing and weights of 1, without line numbers: each may tell the label.

    The arrays are read-only.

    Args:
        times, labelled, line_labels: whether times, the labels of units and those of events stay.
    """
    asked = {"lines": False, "labels": labelled, "line_labels": line_labels, "times": times}
    gone = [name for name, stays in asked.items() if not stays]
    bare = replace(sessions.drop(*gone), ids=neutral_ids(np.arange(len(sessions))), weights=np.ones(len(sessions)))
    bare.__dict__.update({name: sessions.__dict__[name] for name in KEPT if name in sessions.__dict__})
    for column in (bare.keys, bare.offsets, bare.weights, bare.labels, bare.line_labels, bare.times):
        if column is not None:
            column.flags.writeable = False
    return bare


def neutral_ids(numbers: Any) -> pl.Series:
    """Ids that say nothing: the place of each unit among those handed out, String [units].

    Args:
        numbers: int64 [units].
    """
    return pl.Series("unit", numbers, dtype=pl.Int64).cast(pl.String)
