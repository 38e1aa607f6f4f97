"""Shared by the baselines: scores without unseen events, and state saved as plain arrays."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from logbench import DataError, Scores, load_arrays, max_per_unit, save_arrays

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from logbench import Sessions

    # Score and deciding event (−1: none) of each unit, float64 [units] and int64 [units].
    Scorer = Callable[[Sessions], tuple[NDArray[np.float64], NDArray[np.int64]]]

FILE = "state.npz"
# Events of a block: what is computed of them stays small, and needs no new pages of memory each time.
BLOCK = 1 << 19


class NpzState:
    """Saves and loads the attributes named in `kept`, without pickle.

    Attributes:
        kept: numbers and arrays, with type and shape as `load_arrays` takes them.
    """

    kept: Mapping[str, str] = {}

    def save(self, folder: Path) -> None:
        """Write `state.npz` into an existing folder."""
        save_arrays(folder / FILE, **{name: getattr(self, name) for name in self.kept})

    def load(self, folder: Path) -> None:
        """Load the state from `folder`.

        Raises:
            DataError: the file is missing or damaged, or holds what no fit gives.
        """
        vars(self).update(load_arrays(folder / FILE, **self.kept))
        if wrong := self.fault():
            raise DataError(f"{folder / FILE}: no saved arrays of this model: {wrong}")

    def fault(self) -> str:
        """What is wrong with loaded arrays of the right type and shape; empty if nothing is."""
        return ""


def check_keys(found: int, wanted: int, name: str) -> None:
    """Refuse units of another vocabulary than that of the loaded model.

    Raises:
        DataError: the numbers of keys differ.
    """
    if found != wanted:
        raise DataError(f"{name} was trained on {wanted:,} keys, not on {found:,}; save it again")


def score_twice(sessions: Sessions, scorer: Scorer) -> Scores:
    """Score units by `scorer`, and for `ignoring` once more without unseen events.

    In `ignoring` a unit without known events scores 0, because nothing is left that could alarm.
    """
    primary, event = scorer(sessions)
    ignoring, ignoring_event = primary.copy(), event.copy()
    strange = np.flatnonzero(sessions.unseen)
    if len(strange):
        known, position = without_unseen(sessions.take(strange))
        ignoring[strange], ignoring_event[strange] = 0.0, -1
        some = np.flatnonzero(known.lengths)
        score, at = scorer(known.take(some))
        ignoring[strange[some]] = score
        ignoring_event[strange[some]] = np.where(at < 0, -1, position[known.offsets[some] + np.maximum(at, 0)])
    return Scores(primary, event, ignoring, ignoring_event)


def in_blocks(sessions: Sessions) -> Iterator[Sessions]:
    """The units in order with their times, about `BLOCK` events at a time; one empty block where there is none."""
    from logbench import Sessions

    begin, offsets, times = 0, sessions.offsets, sessions.times
    while True:
        end = int(np.searchsorted(offsets, offsets[begin] + BLOCK, side="right")) - 1
        end = min(max(end, begin + 1), len(sessions))
        events = slice(int(offsets[begin]), int(offsets[end]))
        yield Sessions(
            keys=sessions.keys[events],
            offsets=offsets[begin : end + 1] - offsets[begin],
            vocabulary=sessions.vocabulary,
            ids=sessions.ids[begin:end],
            times=None if times is None else times[events],
        )
        begin = end
        if begin == len(sessions):
            return


def without_unseen(sessions: Sessions) -> tuple[Sessions, NDArray[np.int64]]:
    """Units with only their known events, and the positions of these in the unit, int64 [known events]."""
    from dataclasses import replace

    stays = sessions.keys < sessions.vocabulary
    total = np.concatenate([[0], np.cumsum(stays, dtype=np.int64)])
    at = np.flatnonzero(stays)

    def cut(column: NDArray[Any] | None) -> Any:
        return None if column is None else column[stays]

    known = replace(
        sessions.drop("text_ids", "raw"),
        keys=sessions.keys[stays],
        offsets=total[sessions.offsets],
        lines=cut(sessions.lines),
        times=cut(sessions.times),
        line_labels=cut(sessions.line_labels),
    )
    return known, at - sessions.offsets[sessions.units[at]]


def most_frequent(units: Sessions, counts: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
    """Indices of the `limit` units of the largest counts, in the order of their keys, not of the log.

    Of those of the least count that is taken, some are taken from all over that order.

    Args:
        units: distinct units.
        counts: int64 [units].
    """
    keys = units.clipped_keys.astype(">u4")
    names = [keys[begin:end].tobytes() for begin, end in pairwise(units.offsets.tolist())]
    order = np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.int64)
    if len(order) <= limit:
        return order
    ordered = counts[order]
    least = np.sort(ordered)[-limit]
    taken, equal = ordered > least, np.flatnonzero(ordered == least)
    room = limit - int(taken.sum())
    taken[equal[np.arange(room) * len(equal) // room]] = True
    kept: NDArray[np.int64] = order[taken]
    return kept


def lookup(
    known: NDArray[np.int64], column: NDArray[Any], values: NDArray[np.int64], default: float
) -> NDArray[Any]:
    """For each of `values` the entry of `column` at its position in the ascending `known`, or `default`."""
    if not len(known):
        return np.full(len(values), default)
    at = np.minimum(np.searchsorted(known, values), len(known) - 1)
    return np.where(known[at] == values, column[at], default)


def first_true(hits: NDArray[np.bool_], units: NDArray[Any], size: int) -> NDArray[np.int64]:
    """For each of `size` units the index of its first hit in flat order, int64 [size]; −1 without a hit.

    Args:
        hits, units: bool and int [items], items in flat order, with the unit of each.
    """
    first = np.full(size, -1, dtype=np.int64)
    at = np.flatnonzero(hits)[::-1]
    first[units[at]] = at
    return first


def worst(
    values: NDArray[np.float64], units: NDArray[Any], size: int, empty: float = 0.0
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Largest value of each unit and the flat index of its first occurrence; `empty` and −1 for empty units.

    Args:
        values, units: [items], items sorted by unit.
    """
    score = max_per_unit(values, np.searchsorted(units, np.arange(size + 1)), empty)
    return score, first_true(values == score[units], units, size)
