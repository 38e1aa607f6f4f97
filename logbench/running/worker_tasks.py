"""The worker's side: one function a task, and a loop that serves tasks until the parent has ended."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from ..api.plan import Plan
from ..base.child_process import Limits, serving
from ..base.failure import failure_of
from ..base.files import aside
from ..base.process_tree import adopt, follow
from ..components.registry import Registry
from ..evaluation.metrics import directions_of
from .locate import locate
from .model_processes import ModelProcesses
from .prepare import digest_of
from .resolve import resolve
from .runner import run_and_keep
from .runtime import Runtime
from .workers import Relay, Task, threads

Send = Callable[[tuple[str, Any]], None]


def run(runtime: Runtime, plan: Plan) -> Iterator[Mapping[str, Any]]:
    """Execute one run; yield its record."""
    yield run_and_keep(resolve(plan, runtime.registry), runtime).as_dict()


def data(runtime: Runtime, plan: Plan) -> Iterator[Mapping[str, Any]]:
    """Locate the data of a plan; yield their `path` and `digest`."""
    resolved = resolve(plan, runtime.registry)
    with aside(not plan.cache), runtime.bars.stage("locate") as progress:
        found = locate(
            resolved.dataset, plan.data, runtime.registry, progress, cached=plan.cache, note=runtime.bars.note
        )
        assert found is not None
        files = resolved.dataset.build().read(found.path).files
        digest = digest_of(files, found.path, progress)
        yield {"path": str(found.path), "digest": digest}


def directions(runtime: Runtime, plan: Plan) -> Iterator[Mapping[str, Any]]:
    """Yield the directions of a plan's metrics, as in a record, see `metrics.directions_of`."""
    resolved = resolve(plan, runtime.registry)
    yield {"directions": directions_of({part.name: part.build() for part in resolved.evaluators}, resolved.unit)}


def serve(
    descriptor: int,
    beside: int,
    block: Sequence[str],
    timeout: float | None,
    memory_mb: float | None,
    folder: str,
) -> None:
    """Serve tasks until the parent has ended.

    Args:
        beside: most workers side by side.
        block: plugins not to load.
        timeout, memory_mb: see `child_process.Limits`.
        folder: folder for files handed to models.
    """
    pipe, lock, tasks = serving(descriptor), threading.Lock(), SimpleQueue[Task]()

    def send(message: tuple[str, Any]) -> None:
        try:
            with lock:  # a plugin may report from a thread
                pipe.send(message)
        except OSError:  # the parent has ended; `follow` cleans up and kills this process
            threading.Event().wait()

    adopt()
    follow(lambda: _listen(pipe, tasks), lambda: [Path(folder)])
    limits = Limits(timeout, memory_mb)
    models = ModelProcesses(block, limits, threads(beside), Path(folder))
    runtime = Runtime(Registry(block=block), Relay(send), models, contended=beside if beside > 1 else 0)
    while True:
        task = tasks.get()
        try:
            for row in task.do(runtime, task.plan):
                send(("row", row))
            send(("done", None))
        except Exception as error:
            send(("failed", failure_of(error)))
        except BaseException as error:  # such as a panic in polars, after which the process cannot be trusted
            send(("broken", f"{type(error).__name__}: {' '.join(str(error).split())}"))
            raise


def _listen(pipe: Connection, tasks: SimpleQueue[Task]) -> None:
    while True:
        tasks.put(pipe.recv())
