"""Faults of blocks: copies, late and double reports, broken pipelines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .sim_figures import Kind
from .sim_lifecycle import Batch, Ints, Mask
from .sim_messages import Event
from .sim_text import pack

LATE_REPORT_MS = 1_900_000


def plan(batch: Batch) -> None:
    """Fix when blocks with a fault are deleted, before the stages run."""
    copied = batch.of(Kind.RE_REPLICATED)
    after = batch.written + LATE_REPORT_MS + batch.delay(1_500_000, 1_500_000)
    batch.deleted = np.where(copied, np.maximum(batch.deleted, after), batch.deleted)
    # The sample's replicated normal blocks outlive the log. One in twenty anomalous ones does too, and so may
    # look just like them: sequences with both labels (HDFS_v1 has 9).
    outlive = batch.of(Kind.REPLICATED) | (copied & (batch.rank % 20 == 0))
    batch.deleted = np.where(outlive, -1, batch.deleted)
    # These kinds are told by their deletion.
    must = batch.of(Kind.DELETE_ERROR, Kind.STALE_DELETE, Kind.ORPHAN, Kind.LATE_READ, Kind.LOST_REPLICA)
    soon = batch.written + batch.delay(600_000, 300_000)
    batch.deleted = np.where(must & (batch.deleted < 0), soon, batch.deleted)
    early = batch.of(Kind.EARLY_DELETE)
    batch.deleted = np.where(early, batch.start + (batch.written - batch.start) // 2 + 3000, batch.deleted)


def copies(batch: Batch, mates: NDArray[np.int32]) -> None:
    """A replica is missed and copied; once the lost one reports again, the surplus is deleted.

    Nearly half of the anomalous blocks and a fifth of the normal ones are copied once more (sample: 4 of 26).
    `mates` receives, for the first block of each pair that the name node names in one line, the other one.
    """
    copied = batch.of(Kind.REPLICATED, Kind.RE_REPLICATED)
    late = batch.written + batch.delay(500_000, 200_000)
    # While the replicas are still being written: only the anomalous ones (sample: `ask` before `terminating`).
    hurried = batch.of(Kind.RE_REPLICATED) & batch.chance(0.25)
    done = _copy(batch, np.where(hurried, batch.written - 2500, late), 3, copied)
    surplus = _ask_to_delete(batch, copied, done, mates)
    batch.log(Event.DELETE, surplus + batch.delay(1000, 3000), 3, copied)
    again = batch.of(Kind.RE_REPLICATED) & batch.chance(0.45)
    again |= batch.of(Kind.REPLICATED) & batch.chance(0.2)
    done = _copy(batch, surplus + batch.delay(60_000, 60_000), 4, again)
    batch.log(Event.DELETE, done + batch.delay(1000, 3000), 4, again)


def _copy(batch: Batch, at: Ints, replica: int, where: Mask) -> Ints:
    """One copy to a new node; returns when the lost replica has reported too."""
    batch.log(Event.ASK_COPY, at + batch.delay(0, 150), replica, where)
    batch.log(Event.COPY_STARTS, at + batch.delay(200, 400), replica, where)
    batch.log(Event.RECEIVE, at + batch.delay(900, 500), replica, where)
    arrived = at + batch.delay(25_000, 15_000)
    batch.log(Event.COPY_RECEIVED, arrived + batch.delay(0, 10), replica, where)
    batch.log(Event.COPY_SENT, arrived + batch.delay(0, 10), replica, where)
    batch.log(Event.ADD, arrived + batch.delay(60, 30), replica, where)
    back = arrived + batch.delay(100_000, 300_000)
    batch.log(Event.ADD, back, 2, where)
    return back


def _ask_to_delete(batch: Batch, copied: Mask, done: Ints, mates: NDArray[np.int32]) -> Ints:
    """One line for each two blocks copied at about the same time; returns when each block was seen to."""
    rows = np.flatnonzero(copied)
    rows = rows[np.argsort(done[rows], kind="stable")]
    one, other = rows[0 : len(rows) - 1 : 2], rows[1::2]
    near = done[other] - done[one] < 900_000
    one, other = one[near], other[near]
    asked = done[other] + 2000
    mates[batch.block[one]] = batch.block[other]
    batch.events.append(pack(asked, batch.block[one], Event.ASK_DELETE, 3))
    seen: Ints = done.copy()
    seen[one] = seen[other] = asked
    return seen


def reports(batch: Batch) -> None:
    """Reports that the name node did not expect, and reads of what is gone."""
    redundant = batch.of(Kind.REDUNDANT)
    batch.log(Event.ADD_REDUNDANT, batch.written + batch.delay(1500, 900_000), 1, redundant)
    orphan = batch.of(Kind.ORPHAN)
    returned = batch.deleted + batch.delay(4000, 300_000)
    batch.log(Event.ADD_ORPHAN, returned, 2, orphan)
    batch.log(Event.ADD, returned + 1, 2, orphan)
    late = batch.of(Kind.LATE_READ)
    at = batch.deleted + batch.delay(400_000, 400_000)
    for number in range(3):
        batch.log(Event.SERVE, at, 60 + number, late)
        at = at + batch.delay(100, 9000)


def pipelines(batch: Batch) -> None:
    """A write pipeline that breaks, is set up again at an offset, and leaves a trace of its own kind."""
    broken = batch.of(Kind.BROKEN_PIPELINE)
    at = batch.start + (batch.written - batch.start) // 2 + 2500
    for number, event in enumerate(_BREAKING):
        batch.log(event, at + batch.delay(0, 300), number % 3, broken & batch.chance(0.92 if number else 1.0))
    for number in range(2):
        batch.log(Event.RECEIVE, at + batch.delay(1200, 300), number, broken)
        batch.log(Event.MOVE_OFFSET, at + batch.delay(2500, 400), number, broken)
    for number, event in enumerate(_AFTERMATH):
        where = broken & (batch.rank % len(_AFTERMATH) == number)
        batch.log(event, batch.written + batch.delay(60_000, 60_000), 3, where)


_BREAKING = (
    Event.RESPONDER_FAILS,
    Event.RECEIVE_FAILS,
    Event.WRITE_FAILS,
    Event.RESPONDER_CUT,
    Event.MIRROR_FAILS,
    Event.RECEIVE_FAILS,
    Event.WRITE_FAILS,
)
_AFTERMATH = (Event.COPY_FAILS, Event.COPY_TIMEOUT, Event.COPY_DROPPED, Event.SCAN_TWICE)
