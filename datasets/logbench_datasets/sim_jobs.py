"""The load of the simulated cluster over 38 hours: when jobs write blocks, and how they read them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .sim_figures import SPAN_S


@dataclass(frozen=True, slots=True)
class ResolvedPlan:
    """One burst of writing.

    Attributes:
        since, until: hours from the first line.
        weight: share of all blocks. Sample: blocks by hour of first line.
        read: share of blocks that clients read, about an hour later. Sample: 23.7% of all, only in early jobs.
        verified: share of blocks that the scanner verifies. Sample: 14% of all, from 65% early to 3% late.
        deleted: share of blocks that are deleted before the log ends. Sample: 81% of all.
        delete_after: typical hours from writing to deletion.
        ahead: share of blocks whose name node reports come first (its clock and theirs differ). Sample: a
            third of the first 4,855 normal blocks and next to none later.
    """

    since: float
    until: float
    weight: float
    read: float
    verified: float
    deleted: float
    delete_after: float
    ahead: float


JOBS = (
    ResolvedPlan(0.00, 1.02, 0.066, 0.94, 0.63, 1.00, 13.0, 0.55),
    ResolvedPlan(2.20, 4.00, 0.060, 0.00, 0.22, 1.00, 1.50, 0.35),
    ResolvedPlan(4.00, 6.00, 0.067, 0.87, 0.08, 1.00, 9.00, 0.40),
    ResolvedPlan(13.8, 16.1, 0.124, 0.90, 0.38, 1.00, 11.0, 0.22),
    ResolvedPlan(17.5, 19.2, 0.056, 0.00, 0.06, 1.00, 1.50, 0.10),
    ResolvedPlan(24.2, 26.8, 0.124, 0.00, 0.07, 1.00, 1.50, 0.02),
    ResolvedPlan(29.2, 32.0, 0.178, 0.00, 0.05, 1.00, 1.00, 0.01),
    ResolvedPlan(32.0, 33.0, 0.060, 0.00, 0.01, 0.03, 1.00, 0.01),
    ResolvedPlan(33.0, 35.0, 0.125, 0.00, 0.02, 1.00, 1.00, 0.01),
    ResolvedPlan(35.0, 37.0, 0.105, 0.00, 0.02, 0.10, 0.50, 0.01),
    ResolvedPlan(37.0, 38.0, 0.035, 0.00, 0.02, 0.15, 0.20, 0.01),
)


def starts(blocks: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Ascending milliseconds at which the blocks are asked for; the first is 0."""
    edges = np.array([(job.since, job.until) for job in JOBS]).ravel() * 3_600_000
    heights = np.concatenate([[0.0], np.repeat(np.cumsum([job.weight for job in JOBS]), 2)[:-1]])
    at = np.sort(rng.random(blocks)) * heights[-1]
    # Idle gaps have equal heights at both ends: nothing falls strictly inside.
    ms: NDArray[np.int64] = np.interp(at, heights, edges).astype(np.int64)
    ms -= ms[0]
    return ms


def job_of(ms: NDArray[np.int64]) -> NDArray[np.int64]:
    """Index into `JOBS` of each start."""
    until = np.array([job.until for job in JOBS]) * 3_600_000
    job: NDArray[np.int64] = np.minimum(np.searchsorted(until, ms), len(JOBS) - 1)
    return job


def column(name: str) -> NDArray[np.float64]:
    """One attribute of all jobs."""
    return np.array([getattr(job, name) for job in JOBS], dtype=float)


SPAN_MS = SPAN_S * 1000
