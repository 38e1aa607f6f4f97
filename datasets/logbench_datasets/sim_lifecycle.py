"""The life of a block, as vectorised stages over a batch: written, verified and read, copied, deleted.

A stage takes a batch (and which of its blocks pass through it) and logs events. Disorder has two causes, as in a
real cluster: several nodes log at once, and a few blocks see a long pause somewhere, so that the number of
distinct sequences keeps growing with the number of blocks.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .sim_figures import Kind
from .sim_jobs import SPAN_MS, column
from .sim_messages import Event
from .sim_text import U64, pack

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

# Position of the allocation among the three receives. Sample: 42%, 23%, 21% and 14% after 3, 1, 2 and 0 of them.
ALLOCATED_AFTER = (0.14, 0.23, 0.21, 0.42)
# Where reports reach the name node while replicas still close. Sample: 26% of the late normal blocks.
RACING = 0.28
# Pauses (swapping, garbage collection) that tear steps apart which usually follow each other at once.
PAUSED = 0.05
PAUSE_MS = 700
# Failed and successful reads of one block, in typical order; sample's most frequent: "FSF" 17%, "FFS" 13% …
READS = (
    ("FSF", 0.275), ("FFS", 0.20), ("SSFSSF", 0.12), ("SFSFSSFSSSFS", 0.06), ("SSFSSFSSF", 0.13), ("FSS", 0.05),
    ("S", 0.045), ("F" * 15 + "S", 0.04), ("SSF", 0.03), ("SSSFSSFS", 0.02), ("SSFSSSFSSFSSFSF", 0.015),
    ("FFFFSFFFFFSF", 0.015),
)  # fmt: skip
CALM = 0.62  # share of read blocks whose clients come in the typical order
OFTEN = 3  # the form of blocks that end with a harmless failed delete. Sample: read 12 times
RETRIED = 0.07  # share of read blocks with further reads in random order, at least 3, sometimes hundreds
MOST_RETRIES = 250  # HDFS_v1: sessions of up to about 300 events
MEANWHILE = 0.002  # share of blocks verified, read, or read in vain, each, while replicas go. Sample: 15 blocks
VERIFIED_TIMES = (0.66, 0.16, 0.18)  # verified once, twice, three times. Sample: 2,318 verifications, 1,620 blocks


@dataclass(slots=True)
class Batch:
    """Blocks that start one after another, with the facts that decide their lives.

    Attributes:
        block: numbers of the blocks in the data set; `start`: milliseconds; `job`: index into `JOBS`.
        kind: `Kind` of each; `rank`: running number of the block among those of its kind.
        written, deleted: milliseconds, set by the stages; `deleted` is −1 where the log ends before.
        events: what was logged so far, packed.
    """

    rng: np.random.Generator
    block: Ints
    start: Ints
    job: Ints
    kind: NDArray[np.uint8]
    rank: Ints
    written: Ints = field(init=False)
    deleted: Ints = field(init=False)
    events: list[U64] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.written = self.start + self.delay(14_000 + 40_000 * self.rng.random(len(self.start)), 2500)
        remaining = SPAN_MS - 900_000 - self.written
        typical = column("delete_after")[self.job] * 3_600_000
        wait = np.minimum(typical * (0.6 + 0.8 * self.rng.random(len(self.start))), remaining * 0.9)
        gone = self.chance(column("deleted")[self.job]) & (remaining > 60_000)
        self.deleted = np.where(gone, self.written + wait.astype(np.int64), -1)

    def of(self, *kinds: Kind) -> Mask:
        """Which blocks are of one of `kinds`."""
        return np.isin(self.kind, kinds)

    def chance(self, share: NDArray[np.float64] | float) -> Mask:
        """True for a random `share` of the blocks."""
        return self.rng.random(len(self.block)) < share

    def delay(self, at_least: NDArray[np.float64] | float, mean: NDArray[np.float64] | float) -> Ints:
        """Exponential waits beyond `at_least`, milliseconds [blocks]."""
        waits: Ints = (at_least + mean * self.rng.standard_exponential(len(self.block))).astype(np.int64)
        return waits

    def log(self, event: Event, ms: Ints, ordinal: Ints | int = 0, where: Mask | None = None) -> None:
        """Log `event` once for each block (of `where`) at `ms`."""
        if where is None:
            self.events.append(pack(ms, self.block, event, ordinal))
            return
        if not isinstance(ordinal, int):
            ordinal = ordinal[where]
        self.events.append(pack(ms[where], self.block[where], event, ordinal))


def receive(batch: Batch) -> None:
    """Allocate a block and start a pipeline of three receiving nodes. Abandoned blocks end here."""
    order = batch.rng.choice(4, size=len(batch.block), p=ALLOCATED_AFTER)
    at = batch.start + batch.delay(20, 60)
    allocated = batch.start
    for replica in range(3):
        allocated = np.where(order == replica + 1, at + 1, allocated)
        reached = np.ones(len(at), dtype=bool)
        if replica == 1:
            reached = ~batch.of(Kind.ABANDONED)
        if replica == 2:
            reached = ~batch.of(Kind.ABANDONED, Kind.ABORTED)
        batch.log(Event.RECEIVE, at, replica, reached)
        at = at + batch.delay(20, 700)
    batch.log(Event.ALLOCATE, allocated)
    # Every second aborted block says why (in the sample all of them do, in the archive none).
    batch.log(Event.WRITE_FAILS, at + 3000, 0, batch.of(Kind.ABORTED) & (batch.rank % 2 == 0))


def close(batch: Batch) -> None:
    """Each replica's responder ends and its node reports the block; three nodes, one name node, three clocks."""
    whole = ~batch.of(Kind.ABANDONED, Kind.ABORTED)
    early = batch.chance(column("ahead")[batch.job]) & ~batch.of(Kind.REPLICATED, Kind.RE_REPLICATED)
    paused = batch.chance(PAUSED)
    racing = paused | batch.chance(np.where(early, 0.45, RACING))
    at = batch.written
    for replica in range(3):
        stuck = paused & batch.chance(0.6)
        lost = batch.of(Kind.LOST_REPLICA) & (replica == 1)
        batch.log(Event.EMPTY_PACKET, at, replica, batch.of(Kind.EMPTY_PACKET))
        batch.log(Event.RESPONDER, at, replica, whole)
        received = at + 1 + np.where(stuck, batch.delay(0, PAUSE_MS), 0)
        batch.log(Event.RECEIVED, received, replica, whole & ~lost)
        report = _report(batch, at, early, paused, racing)
        batch.log(Event.ADD, report, replica, whole & ~lost & ~(_late_third(batch) & (replica == 2)))
        at = at + np.where(stuck, batch.delay(30, PAUSE_MS), batch.delay(60, 50))


def _report(batch: Batch, at: Ints, early: Mask, paused: Mask, racing: Mask) -> Ints:
    """Time at which the name node logs a replica that closed at `at`: after, before or among all three."""
    last = batch.written + 700
    among = at + batch.delay(np.where(early, -600, 20), np.where(paused, 170.0 + PAUSE_MS, 170.0))
    report = np.where(racing, among, np.where(early, batch.written - 900, last))
    report = np.where(racing & ~early & batch.chance(0.55), last, report)
    # Never before the pipeline stands.
    return np.maximum(report + batch.delay(1, 2), batch.start + 6000)


def _late_third(batch: Batch) -> Mask:
    """Copied blocks whose third replica did not report at first: two of five (sample: 9 of 26)."""
    return batch.of(Kind.REPLICATED, Kind.RE_REPLICATED) & (batch.rank % 5 < 2)


def verify(batch: Batch) -> None:
    """Each node's scanner verifies the block from time to time until it is deleted."""
    whole = ~batch.of(Kind.ABANDONED, Kind.ABORTED)
    chosen = whole & batch.chance(column("verified")[batch.job])
    times = 1 + batch.rng.choice(3, size=len(batch.block), p=VERIFIED_TIMES)
    end = np.where(batch.deleted < 0, SPAN_MS, batch.deleted)
    for number in range(3):
        spread = batch.rng.random(len(batch.block)) ** 2
        at = batch.written + 5000 + ((end - batch.written - 8000) * spread).astype(np.int64)
        batch.log(Event.VERIFY, at, number, chosen & (number < times) & (at > batch.written + 4000))


def read(batch: Batch) -> None:
    """Clients read a block about an hour after writing; its job decides how often, and how often in vain."""
    chosen = np.flatnonzero(
        (batch.chance(column("read")[batch.job]) | batch.of(Kind.STALE_DELETE))
        & ~batch.of(Kind.ABANDONED, Kind.ABORTED, Kind.REPLICATED)
        & ((batch.deleted < 0) | (batch.deleted > batch.written + 7_000_000))
    )
    rng, shares = batch.rng, np.array([share for _, share in READS])
    form = rng.choice(len(READS), size=len(chosen), p=shares / shares.sum())
    form = np.where(batch.of(Kind.STALE_DELETE)[chosen], OFTEN, form)
    begin = batch.written[chosen] + 3_300_000 + rng.integers(0, 1_500_000, len(chosen))
    width = np.where(rng.random(len(chosen)) < CALM, 300.0, 9_000.0 * np.exp(rng.standard_normal(len(chosen))))
    for number, (outcomes, _) in enumerate(READS):
        mine = form == number
        _reads(batch, outcomes, chosen[mine], begin[mine], width[mine])
    _retries(batch, chosen[rng.random(len(chosen)) < RETRIED])


def _reads(batch: Batch, outcomes: str, chosen: Ints, begin: Ints, width: NDArray[np.float64]) -> None:
    """Reads in the order of `outcomes`, ten seconds apart, each late by about `width` milliseconds."""
    for number, outcome in enumerate(outcomes):
        jitter = width * batch.rng.standard_exponential(len(chosen))
        at = begin + 10_000 * number + jitter.astype(np.int64)
        event = Event.SERVE if outcome == "S" else Event.SERVE_FAILS
        batch.events.append(pack(at, batch.block[chosen], event, number))


def _retries(batch: Batch, chosen: Ints) -> None:
    """Reads of blocks in demand: a heavy-tailed number of them, mostly in vain, about an hour and a half in."""
    count = np.minimum(3 * (1 - batch.rng.random(len(chosen))) ** -0.6, MOST_RETRIES).astype(np.int64)
    row = np.repeat(chosen, count)
    at = batch.written[row] + 5_000_000 + batch.rng.integers(0, 1_500_000, len(row))
    failed = batch.rng.random(len(row)) < 0.6
    for event, mine in ((Event.SERVE_FAILS, failed), (Event.SERVE, ~failed)):
        batch.events.append(pack(at[mine], batch.block[row[mine]], event, 100))


def delete(batch: Batch) -> None:
    """The name node invalidates all replicas at once, each node deletes its own at its next heartbeat."""
    gone = (batch.deleted >= 0) & ~batch.of(Kind.ABANDONED, Kind.ABORTED)
    fewer = batch.of(Kind.LOST_REPLICA)
    hasty = batch.chance(0.003)
    for replica in range(3):
        there = gone & ~(fewer & (replica == 1))
        stale = batch.of(Kind.STALE_DELETE) & (replica == 2) & (batch.rank % 3 == 0)
        batch.log(Event.INVALIDATE, batch.deleted + replica * 4, replica, there)
        wait = np.where(hasty, batch.delay(0, 5), batch.delay(2500, 120_000))
        batch.log(Event.DELETE, batch.deleted + wait, replica, there & ~stale)
    for event in (Event.VERIFY, Event.SERVE, Event.SERVE_FAILS):
        batch.log(event, batch.deleted + batch.delay(3000, 60_000), 101, gone & batch.chance(MEANWHILE))
    _failed_delete(batch, gone)


def _failed_delete(batch: Batch, gone: Mask) -> None:
    """A node told to delete what it does not hold. Harmless after the other deletes, an error before them."""
    normal = gone & batch.of(Kind.STALE_DELETE)
    bad = gone & batch.of(Kind.DELETE_ERROR)
    at = np.where(normal, batch.delay(2_000, 60_000), batch.delay(2_000, 130_000))
    batch.log(Event.DELETE_FAILS, batch.deleted + at, 0, normal | bad)
    twice = bad & (batch.rank % 25 == 1)
    batch.log(Event.DELETE_FAILS, batch.deleted + batch.delay(2_000, 130_000), 1, twice)
