"""The worker's side: functions of a plan, and a loop that serves them until the parent has ended."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from ..api.plan import Plan
from ..base.child_process import Child, Limits, serving
from ..base.code_digests import learn
from ..base.failure import failure_of
from ..base.files import aside
from ..base.loading import loading
from ..base.process_tree import adopt, follow
from ..components.configured import ConfiguredComponent
from ..components.registry import Registry
from ..evaluation.metrics import directions_of
from ..evaluation.unit_metrics import names_of
from ..reading.data_parts import open_data
from .first_worker import threads
from .locate import locate
from .log_digest import digest_of
from .model_processes import ModelProcesses
from .resolve import resolve
from .runtime import Runtime, current, made_current
from .workers import Relay

Send = Callable[[tuple[str, Any]], None]


def data(plan: Plan) -> dict[str, Any]:
    """Locate the data of a plan.

    Returns:
        `path`, `digest`, `files` (paths of what is read), and whether logbench `made` them; `source_digest` where
        another data set trains, whose files are among them.
    """
    runtime = current()
    resolved = resolve(plan, runtime.registry)
    with aside(not plan.cache), runtime.bars.stage("locate") as progress:

        def found(part: ConfiguredComponent[Any], data: Path | None) -> dict[str, Any]:
            at = locate(part, data, runtime.registry, progress, cached=plan.cache, note=runtime.bars.note)
            assert at is not None
            opened = open_data(part.build(), part.name, at.path)
            digest = opened.digest or digest_of(opened.files, at.path, progress)
            files = [str(file) for file in opened.files]
            return {"path": str(at.path), "digest": digest, "files": files, "made": at.generated}

        tested = found(resolved.dataset, plan.data)
        if resolved.source is None:
            return tested
        trained = found(resolved.source.dataset, plan.source_data)
        both = {"files": tested["files"] + trained["files"], "made": tested["made"] and trained["made"]}
        return {**tested, **both, "source_digest": trained["digest"]}


def metrics(plan: Plan) -> Mapping[str, Any]:
    """What is known of a plan's metrics before it runs: `directions`, as in a record, and `names`.

    `names` is empty where an evaluator does not tell them, see `unit_metrics.names_of`.
    """
    resolved = resolve(plan, current().registry)
    evaluators = {part.name: part.build() for part in resolved.evaluators}
    return {
        "directions": directions_of(evaluators, resolved.unit),
        "names": names_of(evaluators, resolved.unit),
    }


def serve(
    descriptor: int,
    beside: int,
    block: Sequence[str],
    timeout: float | None,
    memory_mb: float | None,
    folder: str,
    spare: Child | None = None,
) -> None:
    """Serve plans until the parent has ended.

    Args:
        beside: most workers side by side.
        block: plugins not to load.
        timeout, memory_mb: see `child_process.Limits`.
        folder: folder for files handed to models.
        spare: a process of models that was started before, see `ModelProcesses`.
    """
    pipe, lock, tasks = serving(descriptor), threading.Lock(), SimpleQueue[Any]()

    def send(message: tuple[str, Any]) -> None:
        try:
            with lock:  # a plugin may report from a thread
                pipe.send(message)
        except OSError:  # the parent has ended; `follow` cleans up and kills this process
            threading.Event().wait()

    adopt()
    follow(lambda: _listen(pipe, tasks), lambda: [Path(folder)])
    limits = Limits(timeout, memory_mb)
    models = ModelProcesses(block, limits, threads(beside), Path(folder), spare)
    contended = beside if beside > 1 else 0
    with loading():
        registry = Registry(block=block, commands=False)
    runtime = Runtime(registry, Relay(send), models, contended=contended, stores=True)
    with made_current(runtime):
        while True:
            function, plan, codes = tasks.get()
            learn(codes)
            _serve_one(function, plan, send)


def _serve_one(function: Callable[[Plan], Any], plan: Plan, send: Send) -> None:
    try:
        send(("done", function(plan)))
    except Exception as error:
        send(("failed", failure_of(error)))
    except BaseException as error:  # such as a panic in polars, after which the process cannot be trusted
        send(("broken", f"{type(error).__name__}: {' '.join(str(error).split())}"))
        raise


def _listen(pipe: Connection, tasks: SimpleQueue[Any]) -> None:
    while True:
        tasks.put(pipe.recv())
