"""Histories of h keys and what follows, distinct windows and distinct sequences, vectorised.

These are the block maps that every next-key model needs (DeepLog, LogAnomaly, n-grams), computed once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .distinct import Distinct, distinct_codes, keep_read_only, positions
from .per_unit import max_per_unit

if TYPE_CHECKING:
    from numpy.typing import NDArray


_LIMIT = 2**64


class Sequences(Protocol):
    """What histories are made of; `Sessions` have it all."""

    @property
    def clipped_keys(self) -> NDArray[np.int32]: ...
    @property
    def offsets(self) -> NDArray[np.int64]: ...
    @property
    def vocabulary(self) -> int: ...


@dataclass(frozen=True)
class Histories:
    """Windows of h + 1 keys inside one unit: h keys of history and the key that follows.

    Windows are numbered in flat order; they are views of `keys`, never copied h-fold.

    Attributes:
        h: length of the history.
        keys: int32 [events], out of vocabulary folded to the key `vocabulary`; where padded, int32
            [events + h × units], h times the start key `vocabulary + 1` before each unit.
        vocabulary: number of known keys.
        starts: int64 [windows], where each window begins in `keys`.
        units: int32 [windows], unit of each window.
        offsets: int64 [units + 1], which windows are of each unit.
        padded: start keys stand in for what lacks before the first h events, so that every event is guessed.
    """

    h: int
    keys: NDArray[np.int32]
    vocabulary: int
    starts: NDArray[np.int64]
    units: NDArray[np.int32]
    offsets: NDArray[np.int64]
    padded: bool = False

    def __post_init__(self) -> None:
        keep_read_only(self)

    @classmethod
    def of(cls, sessions: Sequences, h: int, padded: bool = False) -> Histories:
        """Histories of `sessions`; units with h events or fewer have none, unless padded."""
        if h < 1:
            raise ValueError(f"a history needs at least 1 key, got h = {h}")
        keys, offsets = _padded(sessions, h) if padded else (sessions.clipped_keys, sessions.offsets)
        starts = np.flatnonzero(positions(offsets) >= h)
        starts -= h
        windows = np.maximum(np.diff(offsets) - h, 0)
        return cls(
            h=h,
            keys=keys,
            vocabulary=sessions.vocabulary,
            starts=starts,
            units=np.repeat(np.arange(len(windows), dtype=np.int32), windows),
            offsets=np.concatenate([[0], np.cumsum(windows)]).astype(np.int64),
            padded=padded,
        )

    @cached_property
    def distinct(self) -> Distinct:
        """The distinct windows: `first` indexes windows, `counts` says how often each occurs.

        Found when first asked for, as scoring every window by itself needs none of it.
        """
        codes, _ = _window_codes(self.keys, self.h + 1, self.vocabulary + (2 if self.padded else 1))
        return distinct_codes(codes[self.starts])

    @property
    def first(self) -> int:
        """Index within a unit of the event that its first window guesses."""
        return 0 if self.padded else self.h

    @property
    def events(self) -> NDArray[np.int64]:
        """The event that each window guesses, among all events of the sessions, int64 [windows]."""
        return np.arange(len(self)) if self.padded else self.starts + self.h

    def __len__(self) -> int:
        return len(self.starts)

    def windows(self, which: NDArray[Any]) -> NDArray[np.int32]:
        """Keys of the windows `which`, int32 [len(which), h + 1]; the last column is the next key."""
        index = self.starts[which][:, None] + np.arange(self.h + 1)
        windows: NDArray[np.int32] = self.keys[index]
        return windows

    @property
    def distinct_windows(self) -> NDArray[np.int32]:
        """Keys of each distinct window, int32 [distinct, h + 1]."""
        return self.windows(self.distinct.first)

    def worst(self, values: NDArray[np.float64], empty: float = -np.inf) -> NDArray[np.float64]:
        """Largest of the values [windows] in each unit, float64 [units]; `empty` where a unit has no window."""
        return max_per_unit(values, self.offsets, empty)


def _padded(sessions: Sequences, h: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Folded keys with h start keys before each unit, int32, and where units begin then, int64 [units + 1]."""
    known, lengths = sessions.clipped_keys, np.diff(sessions.offsets)
    offsets = sessions.offsets + h * np.arange(len(lengths) + 1)
    keys = np.full(int(offsets[-1]), sessions.vocabulary + 1, dtype=np.int32)
    keys[np.arange(len(known)) + h * (np.repeat(np.arange(len(lengths)), lengths) + 1)] = known
    return keys, offsets


def _dense(codes: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], int]:
    found = distinct_codes(codes)
    return found.inverse.astype(np.uint64), len(found)


def _window_codes(keys: NDArray[np.int32], width: int, base: int) -> tuple[NDArray[np.uint64], int]:
    """One exact code for each window of `width` keys: equal codes, equal windows.

    Widths are doubled (1, 2, 4 …) and joined by the binary digits of `width`; codes that would outgrow
    64 bits are first renumbered densely, so any vocabulary is exact, without hashing.
    """
    part, size = keys.astype(np.uint64), base
    done: NDArray[np.uint64] | None = None
    done_size, done_width, part_width = 1, 0, 1
    rest = width
    while True:
        if rest & 1:
            if done is None:
                done, done_size = part, size
            else:
                done, done_size = _join(done, done_size, done_width, part, size)
            done_width += part_width
        rest >>= 1
        if not rest:
            break
        part, size = _join(part, size, part_width, part, size)
        part_width *= 2
    assert done is not None
    return done, done_size


def _join(
    left: NDArray[np.uint64], left_size: int, left_width: int, right: NDArray[np.uint64], right_size: int
) -> tuple[NDArray[np.uint64], int]:
    if left_size * right_size > _LIMIT:
        left, left_size = _dense(left)
        right, right_size = _dense(right)
    count = max(min(len(left), len(right) - left_width), 0)
    joined = left[:count] * np.uint64(right_size) + right[left_width : left_width + count]
    return joined, left_size * right_size
