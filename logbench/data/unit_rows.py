"""Units as rows of a network: the distinct ones, and which unit has which."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..base.errors import PluginError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .sessions import Sessions


@dataclass(frozen=True)
class UnitRows:
    """The distinct rows of units; a unit without events has none.

    Attributes:
        sessions: the units that rows were made of.
        values: [distinct, …], in ascending order of their bytes.
        units: int64 [rows], the units with events.
        inverse: int64 [rows], place in `values` of the row of each of these units.
    """

    sessions: Sessions
    values: NDArray[Any]
    units: NDArray[np.int64]
    inverse: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.values)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Units that have each distinct row, int64 [distinct]."""
        return np.bincount(self.inverse, minlength=len(self)).astype(np.int64, copy=False)

    @classmethod
    def of(cls, sessions: Sessions, make: Callable[[Sessions], NDArray[Any]], keys_only: bool) -> UnitRows:
        """Make the rows of all units with events.

        Args:
            make: units → an array [units, …].
            keys_only: equal key sequences have equal rows; each distinct one is then made once.

        Raises:
            PluginError: `make` gives anything else.
        """
        units = np.flatnonzero(sessions.lengths)
        some = sessions if len(units) == len(sessions) else sessions.take(units)
        asked = some.take(some.distinct.first) if keys_only else some
        rows = np.asarray(make(asked))
        if rows.ndim < 2 or len(rows) != len(asked):
            raise PluginError(f"rows must be an array [{len(asked)}, ...], a row a unit, got {list(rows.shape)}")
        whole = np.dtype((np.void, rows[:1].nbytes or rows.dtype.itemsize))  # a row as one value
        flat = np.ascontiguousarray(rows).reshape(-1).view(whole)
        _, first, inverse = np.unique(flat, return_index=True, return_inverse=True)
        inverse = inverse.reshape(-1)[some.distinct.inverse] if keys_only else inverse.reshape(-1)
        return cls(asked, rows[first], units, inverse)


def without_unseen(sessions: Sessions) -> Sessions:
    """The same units without the events whose key is out of vocabulary."""
    events = len(sessions.keys)
    each = replace(  # an event a unit
        sessions,
        offsets=np.arange(events + 1),
        ids=pl.repeat("", events, dtype=pl.String, eager=True),
        labels=None,
        weights=np.ones(events),
    )
    kept = each.take(sessions.keys < sessions.vocabulary)
    offsets = np.concatenate([[0], np.cumsum(sessions.lengths - sessions.unseen)]).astype(np.int64)
    return replace(kept, offsets=offsets, ids=sessions.ids, labels=sessions.labels, weights=sessions.weights)
