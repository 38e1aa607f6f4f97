"""The evaluation half of the ladder: the report's points one upon the other, then ours."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from logbench import Histories
from logbench.torch import Precision, fastest_batch, threads_for

from .measurement import PILOT, Clock, Evaluate, Row, Slices, compare, measure
from .naive_evaluation import Evaluation, EvaluationSettings, no_workers
from .on_device import verdicts_on_device
from .step import Step

if TYPE_CHECKING:
    from logbench import Progress

NOT_HERE = "CUDA only; this is {}"


def report_steps(evaluation: Evaluation, slices: Slices) -> Iterator[Step]:
    """The report's points, in the order of its table as far as each builds on the one before."""
    device = evaluation.context.device
    absent = "" if device == "cuda" else NOT_HERE.format(device)
    workers, kind = min(8, os.cpu_count() or 1), Precision.of("auto", device).kind
    yield Step("batch 1", detail="three walks, two forwards, tensors an item, look-ups a window")
    yield Step("batch 512", {"batch": 512})
    yield Step("one pass instead of three", {"passes": 1})
    yield Step("precomputed maps", {"maps": True})
    yield Step("tensors built once", {"tensors": True})
    best = _own_batch(evaluation, slices)
    same = "512 is the fastest here" if best == 512 else ""
    yield Step("evaluation batch of its own", {"batch": best}, same, optional=True, detail=f"auto: {best}")
    yield Step("pinned memory", {"pinned": True}, skip=absent, optional=True)
    yield Step(
        "workers",
        {"workers": workers},
        skip=no_workers(),
        optional=True,
        detail=f"{workers} processes, start included",
    )
    yield Step("one forward", {"forwards": 1})
    yield Step("mixed precision", {"amp": kind}, skip=absent, optional=True, detail=kind)


def _own_batch(evaluation: Evaluation, slices: Slices) -> int:
    """The batch size with the most windows a second, found outside the clock."""
    sessions, _ = slices.first(8192)
    histories, device = (
        Histories.of(sessions, evaluation.config.h, evaluation.config.pad),
        evaluation.context.device,
    )
    windows = torch.from_numpy(histories.windows(np.arange(len(histories))).astype(np.int64)).to(device)

    def work(begin: int, end: int) -> tuple[Tensor, ...]:
        with torch.inference_mode(), threads_for(end - begin, device):
            return (evaluation.network(windows[begin:end, :-1]),)

    return fastest_batch(len(windows), work, device, largest=8192)


def time_evaluation(
    evaluation: Evaluation, slices: Slices, clock: Clock, compiled: bool, progress: Progress
) -> list[Row]:
    """All steps of evaluation, the slowest first; `progress` gets the name of each before it runs."""
    steps, ours = list(report_steps(evaluation, slices)), list(_ours(evaluation))
    total = len(steps) + len(ours) + 1  # and compile
    rows: list[Row] = []
    way = EvaluationSettings()
    for step in steps:
        row = Row(step.name, skipped=step.skip, detail=step.detail)
        progress(len(rows), total, step.name)
        if not step.skip:
            there = replace(way, **step.change)
            measure(row, partial(evaluation.by, there), slices, clock, whole=False)
            compare(row, rows)
            row.kept = not step.optional or (row.below or 0) >= 1
            way = there if row.kept else way
        rows.append(row)
    for name, work, whole in ours:
        progress(len(rows), total, name)
        row = measure(Row(name), work, slices, clock, whole)
        compare(row, rows)
        rows.append(row)
    progress(len(rows), total, "compile")
    rows.append(_compiled(evaluation, slices, clock, rows) if compiled else Row(
        "compile", skipped="compiling takes tens of seconds on a CPU; --compile shows it"
    ))  # fmt: skip
    return rows


def _ours(evaluation: Evaluation) -> Iterator[tuple[str, Evaluate, bool]]:
    """Name, work, and whether it must see all sessions: what repeats in a slice is not what repeats in all."""
    yield "gathered on the device", evaluation.brute, False
    yield "distinct windows", evaluation.distinct, True
    yield "distinct on the device", partial(verdicts_on_device, evaluation), True
    yield "distinct prefixes", evaluation.prefix, True


def _compiled(evaluation: Evaluation, slices: Slices, clock: Clock, rows: list[Row]) -> Row:
    """`torch.compile` on the brute-force path, set against that path; compiling is outside the clock."""
    network = copy.deepcopy(evaluation.network)
    network.compile(dynamic=True)
    own = replace(evaluation, network=network)
    began = time.perf_counter()
    own.brute(slices.first(4 * PILOT)[0])
    row = Row(
        "compile", detail=f"gathered on the device, compiled in {time.perf_counter() - began:.0f} s", kept=False
    )
    measure(row, own.brute, slices, clock, whole=False)
    compare(row, rows)
    base = next(other.per_s for other in rows if other.name == "gathered on the device")
    row.below = row.per_s / base if row.per_s and base else None
    return row


def reference(
    evaluation: Evaluation, slices: Slices, clock: Clock, rows: list[Row], verify: bool
) -> dict[str, Any]:
    """The best rung against a plain loop over single windows, which repeats nothing that the report removed.

    `verify`: compare verdicts on all sessions, by the loop over one of each distinct window.
    """
    loop = measure(Row("plain loop"), evaluation.plain, slices, clock, whole=False)
    best = max((row for row in rows if row.per_s and row.windows == row.of), key=lambda row: row.per_s or 0)
    assert loop.verdicts is not None and best.verdicts is not None and loop.per_s and best.per_s
    if verify:
        loop.verdicts = evaluation.plain(slices.sessions, distinct=True)[slices.order]
    common = min(len(loop.verdicts), len(best.verdicts))
    return {
        "rung": best.name,
        "windows": best.windows,
        "seconds": best.seconds,
        "loop_per_s": loop.per_s,
        "loop_windows": loop.windows,
        "extrapolated": loop.windows < loop.of,
        "ratio": best.per_s / loop.per_s,
        "sessions_compared": common,
        "different": int((loop.verdicts[:common] != best.verdicts[:common]).sum()),
    }
