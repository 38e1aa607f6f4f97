"""Several processes that train one network together: `Context.devices`.

Each does all that `fit` does, on the same units and from the same seed, and takes its share of every batch.
"""

from __future__ import annotations

import copy
import datetime
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import distributed
from torch.distributed import TCPStore  # type: ignore[attr-defined]

from ..base.errors import ConfigError, IncompatibleError
from ..base.progress import silent
from .collective import place

if TYPE_CHECKING:
    from ..api.contracts import Context
    from ..data.sessions import Sessions

# Seconds that a process may wait for the others.
PATIENCE = 1800
# The end of a pipe: a `Connection`, and on Windows a `PipeConnection`.
Pipe = Any
ALONE = "its message is above; without --devices one process does all"


@contextmanager
def together(model: Any, train: Sessions, context: Context) -> Iterator[None]:
    """Within, `context.devices` processes fit copies of the model on the same units; this one is the first.

    Args:
        model: before its fit.

    Raises:
        IncompatibleError: there are not so many GPUs.
        ConfigError: another process could not start, such as where its class is in no installed module.
    """
    if context.devices == 1 or place()[1] > 1:
        yield
        return
    checked(context)
    world, threads = context.devices, torch.get_num_threads()
    store = TCPStore("127.0.0.1", 0, None, True, wait_for_workers=False)
    quiet = replace(context, progress=silent, note=quiet_note)
    fresh = copy.copy(model)
    fresh.network = None  # each builds its own, from the same seed
    given = [(rank, world, store.port, fresh, train, quiet) for rank in range(1, world)]
    with started(_fit_beside, given) as others:
        _await(store, others, model.name)
        torch.set_num_threads(max(threads // world, 1))
        _join(store, 0, world, context.device)
        try:
            yield
        finally:
            distributed.destroy_process_group()
            torch.set_num_threads(threads)


def _fit_beside(
    pipe: Pipe, rank: int, world: int, port: int, model: Any, train: Sessions, context: Context
) -> None:
    store = TCPStore("127.0.0.1", port, None, False)
    store.set(f"ready{rank}", "1")
    torch.set_num_threads(max(torch.get_num_threads() // world, 1))
    if context.device == "cuda":
        torch.cuda.set_device(rank)
    _join(store, rank, world, context.device)
    try:
        model.fit(train, context)
    finally:
        distributed.destroy_process_group()
        pipe.close()


@contextmanager
def started(work: Callable[..., None], given: Sequence[tuple[Any, ...]]) -> Iterator[list[tuple[Any, Pipe]]]:
    """Processes, started afresh, never forked (other libraries have threads), that end with the block."""
    spawning = multiprocessing.get_context("spawn")
    others = []
    try:
        for values in given:
            ours, theirs = spawning.Pipe(duplex=False)
            process = spawning.Process(target=work, args=(theirs, *values), daemon=True)
            process.start()
            theirs.close()
            others.append((process, ours))
        yield others
        for process, _ in others:
            process.join(PATIENCE)
    finally:
        for process, pipe in others:
            pipe.close()
            if process.is_alive():
                process.kill()
            process.join()


def _await(store: Any, others: Sequence[tuple[Any, Pipe]], name: str) -> None:
    """Wait until all processes are there.

    Raises:
        ConfigError: one ended before.
    """
    waiting = [f"ready{rank}" for rank in range(1, len(others) + 1)]
    while not store.check(waiting):
        if any(process.exitcode is not None for process, _ in others):
            raise ConfigError(f"{name}: a process of --devices could not start; {ALONE}")
        time.sleep(0.05)


def _join(store: Any, rank: int, world: int, device: str) -> None:
    patience = datetime.timedelta(seconds=PATIENCE)
    backend = "nccl" if device == "cuda" else "gloo"
    distributed.init_process_group(backend, store=store, rank=rank, world_size=world, timeout=patience)


def checked(context: Context) -> None:
    if context.device == "mps":
        raise IncompatibleError("--devices: there is one MPS device; use --device cpu, or --devices 1")
    if context.device == "cuda" and context.devices > (there := torch.cuda.device_count()):
        raise IncompatibleError(f"--devices {context.devices}: this machine has {there}")


def quiet_note(text: str) -> None:
    """A note that the first process gives."""
