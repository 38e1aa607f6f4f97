"""Distinct values, windows and key sequences, each numbered in first-seen order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import polars as pl

from ..base.freed_memory import unload
from ..base.kernel import kernel
from ..base.kernel_distinct import distinct_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray


N = TypeVar("N", bound=np.generic)
Ints = "NDArray[np.int32] | NDArray[np.int64]"


def read_only(array: NDArray[N]) -> NDArray[N]:
    """A view that cannot be written: a model that counts in place must not change what the next one gets."""
    view: NDArray[N] = array.view()
    view.flags.writeable = False
    return view


def keep_read_only(frozen: Any) -> None:
    """Make the arrays of a frozen dataclass read-only."""
    for name, value in vars(frozen).items():
        if isinstance(value, np.ndarray):
            object.__setattr__(frozen, name, read_only(value))


@dataclass(frozen=True)
class Distinct:
    """Equal rows found once: `first` [distinct] indexes a representative, `inverse` [rows] its number."""

    first: NDArray[np.int64]
    inverse: NDArray[np.int32]
    counts: NDArray[np.int64]

    def __post_init__(self) -> None:
        keep_read_only(self)

    def __len__(self) -> int:
        return len(self.first)

    def take(self, index: NDArray[Any]) -> Distinct:
        """What is distinct among the rows `index` (int [n]), in first-seen order."""
        codes, rows = self.inverse[index], np.arange(len(index))
        earliest = np.full(len(self), -1, dtype=np.int64)
        earliest[codes[::-1]] = rows[::-1]
        first = np.sort(earliest[earliest >= 0])
        number = np.zeros(len(self), dtype=np.int32)
        number[codes[first]] = np.arange(len(first))
        inverse = number[codes]
        return Distinct(first, inverse, np.bincount(inverse, minlength=len(first)).astype(np.int64))


# Events looked at at once where sequences are made distinct: 128 MiB a column.
BLOCK = 1 << 24


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


def distinct_sequences(keys: NDArray[np.int32], offsets: NDArray[np.int64]) -> Distinct:
    """Distinct key sequences of units, in first-seen order: hashed, then checked key by key.

    The compiled kernel does so at once where there is one, and keys of one block.

    Args:
        keys: int32 [events]. offsets: int64 [units + 1], where each unit's events begin.

    Raises:
        ArithmeticError: two different sequences share a 64-bit hash (never seen; 1 in 10^8 at 575,061 units).
    """
    lengths = np.diff(offsets)
    if not len(lengths):
        empty = np.empty(0, dtype=np.int64)
        return Distinct(empty, empty.astype(np.int32), empty)
    if len(keys) <= BLOCK and (compiled := kernel()) is not None:
        first, inverse = distinct_rows(compiled, keys, offsets)
        return Distinct(first, inverse, np.bincount(inverse, minlength=len(first)).astype(np.int64))
    hashes = np.empty(len(lengths), dtype=np.uint64)
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

    Without units it is one empty block. Columns that lie in files leave the memory with the next block.

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
        unload()


def _hashed(keys: NDArray[np.int32], offsets: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A 64-bit hash of each unit's keys and their places, uint64 [units]."""
    mixed = positions(offsets).astype(np.uint64)
    mixed <<= np.uint64(32)
    mixed += keys.astype(np.uint32)
    mixed += np.uint64(0x9E3779B97F4A7C15)
    total = np.concatenate([np.zeros(1, np.uint64), np.cumsum(_mix(mixed), out=mixed)])
    return _mix(total[offsets[1:]] - total[offsets[:-1]] + np.diff(offsets).astype(np.uint64))
