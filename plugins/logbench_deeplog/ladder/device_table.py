"""One table of a device, to send in: throughput and its spread, launches, and verdicts against a CPU's."""

from __future__ import annotations

import copy
import re
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from logbench.torch import Precision, score_windows

from .measurement import Clock, Evaluate, Slices, wait
from .naive_evaluation import Evaluation
from .on_device import Replayed, verdicts_on_device

if TYPE_CHECKING:
    from logbench import Progress

BATCHES = (32, 128, 512, 2048, 8192)
# The batch at which mixed precision is shown and launches are counted.
BATCH = 512
REPEATS = 3
# Seconds that a repeat takes at least, unless the command asks for less.
LEAST_S = 1.0
# Sessions whose verdicts are compared: at least, to mean something, and at most, because a CPU does it singly.
ENOUGH, MOST = 1000, 5000
DRIVER = Path("/proc/driver/nvidia/version")


@dataclass(frozen=True)
class Throughput:
    """One way to score, as measured; figures are None where it is `unmeasured`, with the reason.

    Attributes:
        batch: windows a forward; None: as the way itself chooses. amp: mixed precision.
        windows: of a pass. repeats: of `seconds_each` at least, each of whole passes.
        windows_per_s: the median of the repeats. spread: their range, as a share of it.
        gpu_mb: highest GPU memory that torch took.
    """

    way: str
    batch: int | None
    amp: str = "off"
    unmeasured: str = ""
    windows: int | None = None
    repeats: int | None = None
    seconds_each: float | None = None
    windows_per_s: float | None = None
    spread: float | None = None
    gpu_mb: float | None = None


def device_table(evaluation: Evaluation, slices: Slices, clock: Clock, progress: Progress) -> dict[str, Any]:
    """`device`, `throughput`, `launches` and `equality`, with the same keys on every device."""
    rows: list[Throughput] = []
    ways = list(_ways(evaluation, slices, clock))
    for row, work, whole in ways:
        progress(len(rows), len(ways), row.way)
        try:
            rows.append(row if row.unmeasured else _timed(row, work, slices, clock, whole))
        except RuntimeError as error:  # a device that refuses one way still has a table of the others
            rows.append(replace(row, unmeasured=f"{row.way} failed: {str(error).splitlines()[0]}"))
    return {
        "device": device_facts(evaluation.context.device),
        "throughput": [asdict(row) for row in rows],
        "launches": launches(evaluation, slices),
        "equality": equality(evaluation, slices),
    }


def _ways(evaluation: Evaluation, slices: Slices, clock: Clock) -> Iterator[tuple[Throughput, Evaluate, bool]]:
    """What to time, how, and whether on all sessions: what repeats in a slice is not what repeats in all."""
    device = evaluation.context.device

    def brute(batch: int, amp: Any = "off") -> Evaluate:
        return replace(evaluation, config=replace(evaluation.config, eval_batch=batch, eval_amp=amp)).brute

    for batch in BATCHES:
        yield Throughput("brute force", batch), brute(batch), False
    kind = Precision.of("auto", device).kind
    absent = "" if device == "cuda" else f"CUDA only; this is {device}"
    yield Throughput("brute force", BATCH, "auto" if absent else kind, absent), brute(BATCH, kind), False
    whole = replace(evaluation, config=replace(evaluation.config, eval_batch=BATCH))
    yield Throughput("brute force, one graph", BATCH, unmeasured=absent), _replayed(whole), False
    yield Throughput("distinct windows", BATCH), whole.distinct, True
    yield Throughput("distinct on the device", BATCH), partial(verdicts_on_device, whole), True
    yield Throughput("distinct prefixes", None), evaluation.prefix, True


def _replayed(evaluation: Evaluation) -> Evaluate:
    """Brute force by a captured graph, which the first call captures."""

    @cache
    def captured() -> Evaluation:
        return replace(evaluation, network=Replayed(evaluation.network, BATCH, evaluation.config.h))

    return lambda sessions: captured().brute(sessions)


def _timed(row: Throughput, work: Evaluate, slices: Slices, clock: Clock, whole: bool) -> Throughput:
    least = min(LEAST_S, clock.seconds)
    if whole:
        sessions, windows = slices.sessions, slices.windows
        work(sessions)
    else:
        sessions, windows = slices.first(replace(clock, seconds=1.25 * least).fitting(work, slices))
    if clock.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    found = [_repeat(work, sessions, least, clock.device) for _ in range(REPEATS)]
    rates = [passes * windows / seconds for passes, seconds in found]
    middle = statistics.median(rates)
    return replace(
        row,
        windows=windows,
        repeats=REPEATS,
        seconds_each=min(seconds for _, seconds in found),
        windows_per_s=middle,
        spread=(max(rates) - min(rates)) / middle,
        gpu_mb=torch.cuda.max_memory_allocated() / 2**20 if clock.device == "cuda" else None,
    )


def _repeat(work: Evaluate, sessions: Any, least: float, device: str) -> tuple[int, float]:
    """Passes, and the seconds that they took."""
    passes = 0
    wait(device)
    began = time.perf_counter()
    while True:
        work(sessions)
        wait(device)
        passes += 1
        if (took := time.perf_counter() - began) >= least:
            return passes, took


def device_facts(device: str) -> dict[str, Any]:
    """Name, memory and software of the device; what only a GPU has is None elsewhere."""
    facts: dict[str, Any] = {
        "kind": device, "name": None, "memory_mb": None, "capability": None, "driver": None,
        "cuda": None, "cudnn": None, "torch": torch.__version__,
    }  # fmt: skip
    if device != "cuda":
        return facts
    about = torch.cuda.get_device_properties(0)
    told = DRIVER.read_text(encoding="utf-8", errors="replace") if DRIVER.exists() else ""
    driver = re.search(r"Kernel Module\s+(?:for \S+\s+)?(\d[\d.]+)", told)
    return facts | {
        "name": about.name,
        "memory_mb": about.total_memory / 2**20,
        "capability": f"{about.major}.{about.minor}",
        "driver": driver[1] if driver else None,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
    }


def launches(evaluation: Evaluation, slices: Slices) -> dict[str, Any]:
    """Operators of torch, and kernels on a GPU, for about `BATCH` windows in one forward, from keys to ranks."""
    from torch.profiler import ProfilerActivity, profile

    sessions, windows = slices.first(BATCH)
    device = evaluation.context.device
    one = replace(evaluation.config, eval_batch=windows, eval_amp="off")
    histories = sessions.histories(one.h) if not one.pad else None
    if histories is None:
        return {"windows": windows, "operators": None, "kernels": None, "unmeasured": "padded windows"}
    score_windows(evaluation.network, histories, one, evaluation.context)  # what is made once is not counted
    kinds = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if device == "cuda" else [])]
    with profile(activities=kinds) as trace:
        score_windows(evaluation.network, histories, one, evaluation.context)
        wait(device)
    events = trace.events() or []
    own = [event for event in events if event.name.startswith("aten::") and not _within(event)]
    kernels = [event for event in events if event.device_type.name == "CUDA"]
    cuda = device == "cuda"
    return {
        "windows": windows,
        "operators": len(own),
        "kernels": len(kernels) if cuda else None,
        "unmeasured": "" if cuda else f"kernels: CUDA only; this is {device}",
    }


def _within(event: Any) -> bool:
    """Whether another operator called it."""
    above = event.cpu_parent
    return above is not None and above.name.startswith("aten::")


def equality(evaluation: Evaluation, slices: Slices) -> dict[str, Any]:
    """Verdicts of the device, all windows at once, against a CPU that takes each distinct window singly.

    `different_on_device` counts those where windows were made distinct on the device, without a second look at
    near ties in double precision.
    """
    chosen: Sequence[int] | Any = slices.order[:MOST]
    sessions = slices.sessions.take(np.sort(chosen))
    host = replace(
        evaluation,
        network=copy.deepcopy(evaluation.network).to("cpu"),
        context=replace(evaluation.context, device="cpu"),
    )
    mine, theirs = evaluation.brute(sessions), host.plain(sessions, distinct=True)
    there = verdicts_on_device(evaluation, sessions)
    return {
        "sessions": len(sessions),
        "enough": len(sessions) >= ENOUGH,
        "alarms": int(theirs.sum()),
        "different": int((mine != theirs).sum()),
        "different_on_device": int((there != theirs).sum()),
    }
