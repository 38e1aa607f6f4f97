"""How a rung of the ladder is timed: slice, memory, ratios, verdicts. What the rungs do is elsewhere."""

from __future__ import annotations

import ctypes
import gc
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logbench import Sessions

# Windows of the first, untimed try, which warms up and tells how large a slice fits the time.
PILOT = 256

# Labelled sessions → the verdict on each, bool [units].
Evaluate = Callable[["Sessions"], "NDArray[np.bool_]"]


@dataclass
class Row:
    """One rung as measured, or skipped with the reason.

    Attributes:
        windows, of: windows timed, of how many there are. Fewer: `per_s` is extrapolated from a slice.
        seconds, cpu_s: wall, and processor time of this process (workers not counted).
        per_s: windows a second, from flat keys to verdicts and counts.
        below, first: ratio to the rung kept below, and to the first one.
        kept: the rungs above build on it.
        peak_mb: highest resident memory while it ran. memory_mb: the same above what there was when it began.
        gpu_mb: highest GPU memory that torch took while it ran.
        equal_first, equal_others: sessions whose verdict was compared with the first rung's, and with any
            earlier rung's; `different` ones among them.
    """

    name: str
    skipped: str = ""
    detail: str = ""
    windows: int = 0
    of: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0
    per_s: float | None = None
    steps_per_s: float | None = None
    below: float | None = None
    first: float | None = None
    kept: bool = True
    peak_mb: float | None = None
    memory_mb: float | None = None
    gpu_mb: float | None = None
    equal_first: int | None = None
    equal_others: int | None = None
    different: int | None = None
    verdicts: NDArray[np.bool_] | None = field(default=None, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """For JSON; without the verdicts themselves."""
        facts = {name: value for name, value in vars(self).items() if name != "verdicts"}
        return {**facts, "extrapolated": self.windows < self.of}


@dataclass(frozen=True)
class Slices:
    """Test units in one random order: every slice begins it, so slices of any size share sessions.

    Attributes:
        sessions: units with a window. order: int64 [units]. ends: windows up to each unit of the order.
    """

    sessions: Sessions
    order: NDArray[np.int64]
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, sessions: Sessions, without: int, seed: int) -> Slices:
        """All slices; the first `without` events of a unit end no window."""
        having = sessions.take(sessions.lengths > without)
        order = np.random.default_rng(seed).permutation(len(having))
        return cls(having, order, np.cumsum(having.lengths[order] - without))

    @property
    def windows(self) -> int:
        return int(self.ends[-1]) if len(self.ends) else 0

    def first(self, windows: int) -> tuple[Sessions, int]:
        """The units that hold the first `windows` windows, at least one unit, and how many they hold."""
        units = min(int(np.searchsorted(self.ends, windows)) + 1, len(self.ends))
        return self.sessions.take(self.order[:units]), int(self.ends[units - 1])


@dataclass(frozen=True)
class Clock:
    """How long a rung may take (`seconds`), or how many windows a slice has (`windows`, 0: as many as fit)."""

    seconds: float
    windows: int
    device: str

    def timed(self, work: Evaluate, sessions: Sessions) -> tuple[NDArray[np.bool_], float]:
        wait(self.device)
        began = time.perf_counter()
        verdicts = work(sessions)
        wait(self.device)
        return verdicts, time.perf_counter() - began

    def fitting(self, work: Evaluate, slices: Slices) -> int:
        """Windows of a slice that takes about `seconds`, found by trying larger and larger ones."""
        total, wanted = slices.windows, PILOT
        while True:
            sessions, windows = slices.first(wanted)
            _, took = self.timed(work, sessions)
            if self.windows:
                return min(self.windows, total)
            if windows >= total or took > 0.15 * self.seconds:
                fits = int(windows / took * self.seconds)
                return total if fits >= 0.8 * total else fits
            wanted = int(windows * min(max(0.3 * self.seconds / took, 2), 16))


def measure(row: Row, work: Evaluate, slices: Slices, clock: Clock, whole: bool) -> Row:
    """Time `work` on a slice, or on all sessions where it is fast or `whole`, and keep its verdicts."""
    if whole:
        work(slices.first(PILOT)[0])
        sessions, row.windows = slices.sessions, slices.windows
    else:
        sessions, row.windows = slices.first(clock.fitting(work, slices))
    with Memory(clock.device) as memory:
        cpu = time.process_time()
        verdicts, row.seconds = clock.timed(work, sessions)
        row.cpu_s = time.process_time() - cpu
    row.verdicts = verdicts[slices.order] if whole else verdicts
    row.of, row.per_s = slices.windows, row.windows / row.seconds
    memory.tell(row)
    return row


def compare(row: Row, earlier: Sequence[Row]) -> None:
    """Ratios to, and verdicts against, the rungs measured before, the first of them first."""
    assert row.per_s is not None
    measured = [other for other in earlier if other.per_s is not None]
    kept = [other for other in measured if other.kept]
    row.below = row.per_s / kept[-1].per_s if kept and kept[-1].per_s else None
    row.first = row.per_s / measured[0].per_s if measured and measured[0].per_s else 1.0
    if row.verdicts is None or not measured:
        return
    shared, unlike = [0], 0
    for number, other in enumerate(measured):
        assert other.verdicts is not None
        common = min(len(row.verdicts), len(other.verdicts))
        unlike = max(unlike, int((row.verdicts[:common] != other.verdicts[:common]).sum()))
        shared.append(common)
        if number == 0:
            row.equal_first = common
    row.equal_others, row.different = max(shared), unlike


class Memory:
    """Highest resident memory of this process, and of torch on a GPU, within the block, MB.

    Linux can forget the peak so far (`/proc/self/clear_refs`, proc(5)); elsewhere the figures are None.
    What earlier work freed goes back to the system first, where the C library can. Workers are not counted.
    """

    def __init__(self, device: str) -> None:
        self.device = device
        self.peak_mb: float | None = None
        self.added_mb: float | None = None
        self.gpu_mb: float | None = None
        self._began: float | None = None

    def __enter__(self) -> Memory:
        gc.collect()
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
        if trim is not None:
            trim(0)
        if self.device == "cuda":
            torch.cuda.reset_peak_memory_stats()
        try:
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
            self._began = _status("VmRSS")
        except OSError:
            self._began = None
        return self

    def __exit__(self, *_: object) -> None:
        if self._began is not None:
            self.peak_mb = _status("VmHWM")
            self.added_mb = max(self.peak_mb - self._began, 0.0)
        if self.device == "cuda":
            self.gpu_mb = torch.cuda.max_memory_allocated() / 2**20

    def tell(self, row: Row) -> None:
        row.peak_mb, row.memory_mb, row.gpu_mb = self.peak_mb, self.added_mb, self.gpu_mb


def _status(name: str) -> float:
    """A figure of `/proc/self/status` in MB."""
    for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    raise OSError(f"/proc/self/status has no {name}")


def wait(device: str) -> None:
    """Until the device has done what it was given."""
    if device == "cuda":
        torch.cuda.synchronize()
    elif device == "mps":
        torch.mps.synchronize()
