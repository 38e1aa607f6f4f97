"""From packed events to lines of text.

An event is one uint64, so that sorting the numbers sorts the lines and 8 bytes a line are all that waits:
28 bits milliseconds, 24 bits block, 5 bits event, 7 bits ordinal (which replica, reader or attempt). Everything
else on a line (nodes, ports, sizes, threads) is a hash of these and the seed, so nothing else is stored.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .sim_figures import FULL_SIZE, FULL_SIZE_SHARE, NODES, START
from .sim_messages import FORMS, Event

U64 = NDArray[np.uint64]
MAX_BLOCKS = 1 << 24
FEW_THREADS = {
    Event.VERIFY: (13, 1),
    Event.DELETE: (18, 2),
    Event.DELETE_FAILS: (18, 2),
    Event.COPY_STARTS: (18, 2),
}


def pack(ms: NDArray[np.int64], block: NDArray[np.int64], event: Event, ordinal: NDArray[np.int64] | int) -> U64:
    """Events as sortable numbers, uint64 [events]."""
    low = np.asarray(int(event) << 7 | ordinal).astype(np.uint64)
    return ms.astype(np.uint64) << np.uint64(36) | block.astype(np.uint64) << np.uint64(12) | low


def mix(values: U64) -> U64:
    """A bijection of 64-bit numbers that looks random (the finalizer of SplitMix64, Steele et al. 2014)."""
    z = values * np.uint64(0x9E3779B97F4A7C15)
    z ^= z >> np.uint64(30)
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return z


def pick(hashed: U64, bit: int, size: int) -> NDArray[np.int64]:
    """Integers 0 … size − 1 from 16 bits of a hash, from bit `bit` on (so size ≤ 65,536)."""
    return ((hashed >> np.uint64(bit) & np.uint64(0xFFFF)) * np.uint64(size) >> np.uint64(16)).astype(np.int64)


@dataclass(slots=True)
class Lines:
    """One event's lines, with every field that a form may name as a method."""

    writer: Writer
    ms: NDArray[np.int64]
    block: NDArray[np.int64]
    ordinal: NDArray[np.int64]
    hashed: U64
    of_block: U64

    def replica(self, number: NDArray[np.int64]) -> pl.Series:
        base, stride = pick(self.of_block, 0, NODES), 1 + pick(self.of_block, 16, NODES - 1)
        return self.writer.nodes.gather((base + number * stride) % NODES)

    def id(self) -> pl.Series:
        return pl.Series(self.writer.ids[self.block])

    def mate(self) -> pl.Series:
        return pl.Series(self.writer.ids[self.writer.mates[self.block]])

    def a(self) -> pl.Series:
        return self.replica(self.ordinal)

    def up(self) -> pl.Series:
        return self.replica(np.maximum(self.ordinal - 1, 0))

    def client(self) -> pl.Series:
        return self.writer.nodes.gather(pick(self.hashed, 32, NODES))

    def port(self) -> pl.Series:
        return pl.Series(32_768 + pick(self.hashed, 32, 28_000))

    def size(self) -> pl.Series:
        small = 3_500_000 + pick(self.of_block, 32, 50_000)
        return pl.Series(np.where(pick(self.of_block, 48, 1000) < 1000 * FULL_SIZE_SHARE, FULL_SIZE, small))

    def offset(self) -> pl.Series:
        return pl.Series(65_536 * (1 + pick(self.of_block, 40, 900)))

    def meta(self) -> pl.Series:
        return pl.Series(7 + 512 * (1 + pick(self.of_block, 40, 900)))

    def subdir(self) -> pl.Series:
        return pl.Series(pick(self.hashed, 32, 64))

    def job(self) -> pl.Series:
        return pl.Series(self.ms // 7_200_000)

    def task(self) -> pl.Series:
        return pl.Series(11_000_000 + self.ms // 900_000)

    def part(self) -> pl.Series:
        return pl.Series(pick(self.of_block, 40, 2000))

    def text(self, event: Event) -> pl.Series:
        """Thread, level, component and message, in the form of `event`."""
        pieces = [self._thread(event), pl.lit(" ")]
        # Odd pieces are field names, even ones are literal.
        for number, piece in enumerate(re.split(r"\{(\w+)\}", FORMS[event])):
            pieces.append(pl.lit(self._field(piece)) if number % 2 else pl.lit(piece))
        return pl.select(pl.concat_str(pieces)).to_series()

    def _field(self, name: str) -> pl.Series:
        if name == "ordinal":
            return pl.Series(self.ordinal)
        field: Callable[[], pl.Series] = getattr(self, name)
        return field()

    def _thread(self, event: Event) -> pl.Expr:
        if event in FEW_THREADS:
            first, count = FEW_THREADS[event]
        elif "FSNamesystem" in FORMS[event]:
            first, count = 26, 10
        else:  # data nodes start a thread for each stream, so the numbers grow
            return pl.lit(pl.Series(145 + self.ms // 5000 + pick(self.hashed, 0, 60)))
        return pl.lit(pl.Series(first + pick(self.hashed, 0, count)))


class Writer:
    """Renders packed events of one data set."""

    def __init__(self, blocks: int, seed: int) -> None:
        self.key = mix(np.array([seed], dtype=np.uint64))[0]
        self.ids = mix(np.arange(blocks, dtype=np.uint64) ^ self.key).view(np.int64)
        self.mates = np.zeros(blocks, dtype=np.int32)
        hashed = mix(np.arange(NODES, dtype=np.uint64))
        low = (pick(hashed, 0, 250), 4 + pick(hashed, 16, 250))
        self.nodes = pl.Series([f"10.{250 + i % 2}.{x}.{y}" for i, (x, y) in enumerate(zip(*low, strict=True))])

    def frame(self, packed: U64) -> pl.DataFrame:
        """The lines of sorted `packed` in two columns, time stamp and the rest, to be joined by a space."""
        event = (packed >> np.uint64(7) & np.uint64(31)).astype(np.uint8)
        order = np.argsort(event, kind="stable")
        ends = np.cumsum(np.bincount(event, minlength=len(Event)))
        parts = [
            self._lines(packed[order[begin:end]]).text(Event(number))
            for number, (begin, end) in enumerate(zip(np.r_[0, ends[:-1]], ends, strict=True))
            if begin < end
        ]
        back = np.empty(len(order), dtype=np.uint32)
        back[order] = np.arange(len(order), dtype=np.uint32)
        rest = pl.concat([part.rename("rest") for part in parts]).gather(pl.Series(back))
        return pl.DataFrame([self._stamps(packed), rest])

    def _lines(self, packed: U64) -> Lines:
        block = (packed >> np.uint64(12) & np.uint64(MAX_BLOCKS - 1)).astype(np.int64)
        ms, ordinal = (packed >> np.uint64(36)).astype(np.int64), (packed & np.uint64(127)).astype(np.int64)
        return Lines(self, ms, block, ordinal, mix(packed ^ self.key), mix(self.ids[block].view(np.uint64)))

    def _stamps(self, packed: U64) -> pl.Series:
        second = ((packed >> np.uint64(36)) // np.uint64(1000)).astype(np.int64)
        distinct, inverse = np.unique(second, return_inverse=True)
        moment = pl.Series(distinct * 1_000_000).cast(pl.Duration("us")) + datetime.fromisoformat(START)
        texts = pl.select(pl.lit(moment).dt.strftime("%y%m%d %H%M%S").alias("stamp")).to_series()
        return texts.gather(inverse)
