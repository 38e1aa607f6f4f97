"""Numbers that entries carry: at the wildcards of their templates, and the time since another entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Sessions

NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
# Events whose texts are in memory at once.
PART = 200_000
SECOND = 1_000_000


@dataclass(frozen=True)
class Numbers:
    """Attributes:
    values: float64 [events, places + 1]; the last column is the time in seconds. NaN where there is none.
    words: bool [events, places + 1], where a text stands that is no number.
    """

    values: NDArray[np.float64]
    words: NDArray[np.bool_]


def numbers_of(sessions: Sessions, since: Literal["entry", "key"]) -> Numbers:
    """The numbers of each event; those of a key are at its first places.

    Args:
        since: time since the entry before in the session, or since the one of the same key.
    """
    places = max((template.count("<*>") for template in sessions.templates), default=0)
    values = np.full((len(sessions.keys), places + 1), np.nan)
    words = np.zeros(values.shape, dtype=bool)
    for begin in range(0, len(sessions.keys) if places else 0, PART):
        part = slice(begin, min(begin + PART, len(sessions.keys)))
        texts = sessions.parameters(np.arange(part.start, part.stop))
        for place in range(places):
            text = texts.list.get(place, null_on_oob=True)
            number = text.str.contains(NUMBER).fill_null(False)
            value = text.set(~number, None).cast(pl.Float64, strict=False)
            value = value.set(~value.is_finite().fill_null(False), None)
            values[part, place] = value.fill_null(float("nan")).to_numpy()
            words[part, place] = (value.is_null() & (text.str.len_bytes() > 0).fill_null(False)).to_numpy()
    if sessions.times is not None:
        values[:, -1] = _elapsed(sessions, sessions.times, since)
    return Numbers(values, words)


def _elapsed(sessions: Sessions, times: NDArray[np.int64], since: Literal["entry", "key"]) -> NDArray[np.float64]:
    """Seconds since the entry before, float64 [events]; NaN for the first one."""
    group = sessions.units.astype(np.int64)
    if since == "key":
        group = group * (sessions.vocabulary + 1) + sessions.clipped_keys
    order = np.argsort(group, kind="stable")
    elapsed = np.full(len(order), np.nan)
    same = group[order[1:]] == group[order[:-1]]
    elapsed[order[1:][same]] = np.diff(times[order])[same] / SECOND
    return elapsed


def nominal(values: NDArray[np.float64], share: float, most: int = 1000) -> bool:
    """Whether numbers are names rather than values: whole, and hardly any occurs twice.

    Args:
        values: float64 [n], without NaN.
        share: a larger share of distinct ones among (at most `most` of) them makes names.
    """
    if len(values) < 2 or share >= 1 or (values != np.floor(values)).any():
        return False
    few = np.sort(values)[np.linspace(0, len(values) - 1, min(most, len(values))).astype(np.int64)]
    return len(np.unique(few)) > share * len(few)
