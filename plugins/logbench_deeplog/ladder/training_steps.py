"""The training half of the ladder: how fast steps are fed and taken; quality is not its subject."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import Subset

from logbench import Histories
from logbench.torch import (
    Batch,
    BruteBatches,
    DistinctBatches,
    Trainer,
    full_fp32,
    new_network,
    threads_for,
    weighted_loss,
)

from .measurement import Memory, Row, compare, wait
from .naive_evaluation import Items, Tensors, loader, no_workers
from .step import Step

if TYPE_CHECKING:
    from logbench import Context, Progress, Sessions
    from logbench.torch import Amp, NextKeyConfig, NextKeyModel

# Steps outside the clock.
WARM_UP = 3


@dataclass(frozen=True)
class InputSettings:
    """How training is fed. `batches`: from the device instead of a DataLoader, which the others describe."""

    batch: int = 1
    tensors: bool = False
    pinned: bool = False
    workers: int = 0
    amp: Amp = "off"
    batches: type[BruteBatches] | type[DistinctBatches] | None = None


def training_steps(config: NextKeyConfig, device: str) -> Iterator[Step]:
    """The ways to feed training, each a change to the one before."""
    absent = "" if device == "cuda" else f"CUDA only; this is {device}"
    workers = min(8, os.cpu_count() or 1)
    yield Step("batch 1", detail="tensors an item")
    yield Step(f"batch {config.batch}", {"batch": config.batch})
    yield Step("tensors built once", {"tensors": True})
    yield Step("pinned memory", {"pinned": True}, skip=absent, optional=True)
    yield Step("workers", {"workers": workers}, no_workers(), True, f"{workers} processes, start included")
    yield Step("mixed precision", {"amp": "auto"}, skip=absent, optional=True)
    yield Step("gathered on the device", {"batches": BruteBatches}, detail="deeplog.dedup=false")
    yield Step(
        "equal windows merged", {"batches": DistinctBatches}, detail="a row stands for its repeats in the step"
    )


def time_training(
    train: Sessions, model: NextKeyModel[Any], context: Context, seconds: float, progress: Progress
) -> list[Row]:
    """All steps of training a network of `model`, each from the same weights.

    `progress` gets the name of each step before it runs.
    """
    config = model.config
    steps = list(training_steps(config, context.device))
    rows: list[Row] = []
    feed = InputSettings()
    histories = train.histories(config.h, config.pad)
    for step in steps:
        progress(len(rows), len(steps), step.name)
        row = Row(step.name, skipped=step.skip, detail=step.detail)
        if not step.skip:
            there = replace(feed, **step.change)
            with Memory(context.device) as memory:
                _time(row, histories, there, model, context, seconds)
            memory.tell(row)
            compare(row, rows)
            row.kept = not step.optional or (row.below or 0) >= 1
            feed = there if row.kept else feed
        rows.append(row)
    return rows


def _time(
    row: Row,
    histories: Histories,
    feed: InputSettings,
    model: NextKeyModel[Any],
    context: Context,
    seconds: float,
) -> None:
    """Steps for about `seconds`: windows and steps a second."""
    config = model.config
    network = new_network(partial(model.build, histories.vocabulary), context.seed, context.device).train()
    trainer = Trainer(network, partial(weighted_loss, network), replace(config, amp=feed.amp), context.device)
    with warnings.catch_warnings(), full_fp32(), threads_for(feed.batch, context.device):
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 on: forking beside threads
        fed = _fed(histories, feed, config, context)
        for _ in range(WARM_UP):
            trainer.step(next(fed)[0])
        wait(context.device)
        began, cpu, steps, windows = time.perf_counter(), time.process_time(), 0, 0.0
        while time.perf_counter() - began < seconds:
            batch, stands_for = next(fed)
            trainer.step(batch)
            steps += 1
            windows += stands_for
        wait(context.device)
        row.seconds, row.cpu_s = time.perf_counter() - began, time.process_time() - cpu
    row.windows, row.of = round(windows), len(histories)
    row.per_s, row.steps_per_s = windows / row.seconds, steps / row.seconds


def _fed(
    histories: Histories, feed: InputSettings, config: NextKeyConfig, context: Context
) -> Iterator[tuple[Batch, float]]:
    """Batches without end, and how many windows each stands for."""
    if feed.batches is not None:
        made = feed.batches(histories, config, context.seed, context.device)
        while True:
            for batch in made.one_pass():
                yield batch, made.windows / made.steps
    known = np.flatnonzero(histories.keys[histories.starts + histories.h] < histories.vocabulary)
    items = Subset(Tensors(histories) if feed.tensors else Items(histories), known.tolist())
    while True:
        for keys, came, _ in loader(items, feed.batch, feed.pinned, feed.workers, shuffle=True):
            windows = torch.cat([keys, came[:, None]], 1).to(context.device, non_blocking=feed.pinned)
            yield (windows, torch.full((len(windows),), 1 / len(windows), device=context.device)), len(windows)
