"""Histories of h keys and what follows, distinct windows and distinct sequences, vectorised.

These are the block maps that every next-key model needs (DeepLog, LogAnomaly, n-grams), computed once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from .frames import Distinct, Sessions, keep_read_only

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LIMIT = 2**64
BLOCK = 1 << 24
"""Events looked at at once where sequences are made distinct: 128 MiB a column."""


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
        distinct: the distinct windows: `first` indexes windows, `counts` how often each occurs.
        padded: start keys stand in for what lacks before the first h events, so that every event is guessed.
    """

    h: int
    keys: NDArray[np.int32]
    vocabulary: int
    starts: NDArray[np.int64]
    units: NDArray[np.int32]
    offsets: NDArray[np.int64]
    distinct: Distinct
    padded: bool = False

    def __post_init__(self) -> None:
        keep_read_only(self)

    @classmethod
    def of(cls, sessions: Sessions, h: int, padded: bool = False) -> Histories:
        """Histories of `sessions`; units with h events or fewer have none, unless padded."""
        if h < 1:
            raise ValueError(f"a history needs at least 1 key, got h = {h}")
        keys, offsets = _padded(sessions, h) if padded else (sessions.folded, sessions.offsets)
        starts = np.flatnonzero(positions(offsets) >= h)
        starts -= h
        codes, _ = _window_codes(keys, h + 1, sessions.vocabulary + (2 if padded else 1))
        windows = np.maximum(np.diff(offsets) - h, 0)
        return cls(
            h=h,
            keys=keys,
            vocabulary=sessions.vocabulary,
            starts=starts,
            units=np.repeat(np.arange(len(sessions), dtype=np.int32), windows),
            offsets=np.concatenate([[0], np.cumsum(windows)]).astype(np.int64),
            distinct=distinct_codes(codes[starts]),
            padded=padded,
        )

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
        counts = np.diff(self.offsets)
        result = np.full(len(counts), empty)
        if len(values):
            has = counts > 0
            result[has] = np.maximum.reduceat(values, self.offsets[:-1][has])
        return result


def _padded(sessions: Sessions, h: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Folded keys with h start keys before each unit, int32, and where units begin then, int64 [units + 1]."""
    offsets = sessions.offsets + h * np.arange(len(sessions) + 1)
    keys = np.full(int(offsets[-1]), sessions.vocabulary + 1, dtype=np.int32)
    keys[np.arange(len(sessions.keys)) + h * (sessions.units.astype(np.int64) + 1)] = sessions.folded
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


def distinct_codes(codes: NDArray[Any]) -> Distinct:
    """Distinct values of a code array, numbered in first-seen order."""
    frame = pl.DataFrame({"code": codes}).with_row_index("row")
    groups = frame.group_by("code").agg(pl.col("row").min(), pl.len().alias("count")).sort("row")
    numbered = groups.select("code", number=pl.int_range(pl.len(), dtype=pl.Int32))
    inverse = frame.join(numbered, on="code", how="left", maintain_order="left")["number"]
    return Distinct(
        first=groups["row"].cast(pl.Int64).to_numpy(),
        inverse=inverse.to_numpy(),
        counts=groups["count"].cast(pl.Int64).to_numpy(),
    )


def index_type(events: int) -> type[np.signedinteger[Any]]:
    """The smaller integer that numbers so many events."""
    return np.int32 if events < 2**31 else np.int64


def positions(offsets: NDArray[np.int64]) -> NDArray[Any]:
    """Index of each event within its unit, int32 [events] (int64 from 2^31 events on)."""
    events = int(offsets[-1])
    wide = index_type(events)
    place: NDArray[Any] = np.arange(events, dtype=wide)
    place -= np.repeat(offsets[:-1].astype(wide), np.diff(offsets))
    return place


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A 64-bit finaliser (splitmix64, Steele et al. 2014), wrapping around, in place."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        values ^= values >> np.uint64(shift)
        values *= np.uint64(factor)
    return values


def distinct_sequences(sessions: Sessions) -> Distinct:
    """Distinct key sequences of units, in first-seen order: hashed, then checked key by key.

    Raises:
        ArithmeticError: two different sequences share a 64-bit hash (never seen; 1 in 10^8 at 575,061 units).
    """
    keys, offsets, lengths = sessions.keys, sessions.offsets, sessions.lengths
    if not len(sessions):
        empty = np.empty(0, dtype=np.int64)
        return Distinct(empty, empty.astype(np.int32), empty)
    hashes = np.empty(len(sessions), dtype=np.uint64)
    for units, events in blocks(offsets, BLOCK):
        local = offsets[units.start : units.stop + 1] - offsets[units.start]
        hashes[units] = _hashed(keys[events], local)
    found = distinct_codes(hashes)
    twin = found.first[found.inverse]
    if not np.array_equal(lengths, lengths[twin]):
        raise ArithmeticError("hash collision between key sequences")
    for units, events in blocks(offsets, BLOCK):
        local = offsets[units.start : units.stop + 1] - offsets[units.start]
        there = np.repeat(offsets[:-1][twin[units]], lengths[units]) + positions(local)
        if not np.array_equal(keys[events], keys[there]):
            raise ArithmeticError("hash collision between key sequences")
    return found


def blocks(offsets: NDArray[np.int64], size: int) -> Iterator[tuple[slice, slice]]:
    """Units, and their events, about `size` events at a time, so that what is computed on events stays small.

    Without units it is one empty block.

    Args:
        offsets: int64 [units + 1], where each unit's events begin.
    """
    begin, units = 0, len(offsets) - 1
    while True:
        end = int(np.searchsorted(offsets, offsets[begin] + size, side="right")) - 1
        end = min(max(end, begin + 1), units)
        yield slice(begin, end), slice(int(offsets[begin]), int(offsets[end]))
        begin = end
        if begin == units:
            return


def _hashed(keys: NDArray[np.int32], offsets: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A 64-bit hash of each unit's keys and their places, uint64 [units]."""
    mixed = positions(offsets).astype(np.uint64)
    mixed <<= np.uint64(32)
    mixed += keys.astype(np.uint32)
    mixed += np.uint64(0x9E3779B97F4A7C15)
    total = np.concatenate([np.zeros(1, np.uint64), np.cumsum(_mix(mixed), out=mixed)])
    return _mix(total[offsets[1:]] - total[offsets[:-1]] + np.diff(offsets).astype(np.uint64))
