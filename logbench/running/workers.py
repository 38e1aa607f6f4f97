"""Run plans in worker processes that can be killed, so that no plugin can end the command.

Workers are spawned, never forked, because polars is multi-threaded. A worker reads the data, keeps the labels,
decides and evaluates; models fit and score in processes that it starts (`model_processes`). It does one run after
another and keeps results that they share.
"""

from __future__ import annotations

import os
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import wait
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from ..base.child_process import TICK_S, Child, Limits
from ..base.progress import Progress
from ..base.progress_bars import Bars
from ..base.temporary_folders import remove_left, temporary

if TYPE_CHECKING:
    from ..api.plan import Plan

# Stages in which a worker may fill the cache of grouped lines.
READING = frozenset({"start", "locate", "read", "group"})
# Stages in a process of models, which has its own limits.
OWN = frozenset({"fit", "score"})
# Most messages to read from one worker before turning to the others.
AT_ONCE = 100
LATE = frozenset({"threshold", "evaluate", "store"})
# Least time limit to decide and evaluate, because libraries load first and most work is the harness's own.
LATE_S = 60.0
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")


@dataclass(frozen=True)
class Ended:
    """A task whose process died: at which stage, what kind of end, and one line."""

    stage: str
    type: str
    message: str


@dataclass(frozen=True)
class Task:
    """A task for a worker.

    Attributes:
        do: a module's function, called in the worker with a `runtime.Runtime` and the plan; it yields rows.
    """

    do: Callable[[Any, Plan], Iterator[Mapping[str, Any]]]
    plan: Plan


@dataclass(frozen=True)
class Running:
    """Stage and progress of a task."""

    stage: str
    done: float = 0.0
    total: float | None = None
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.stage} {self.done / self.total:.0%}" if self.total else self.stage


class DoesTasks(Protocol):
    """Does tasks: a `Crew` of worker processes, or this process (`local_crew`).

    Attributes:
        jobs: number of parallel tasks.
    """

    jobs: int

    def do(
        self, tasks: Sequence[Task], watch: Callable[[Mapping[int, Running]], None] = ...
    ) -> Iterator[tuple[int, str, Any]]:
        """See `Crew.do`."""


class Worker:
    """A process that does tasks."""

    def __init__(self, beside: int, block: Sequence[str], limits: Limits) -> None:
        env = threads(beside)
        self.folder = temporary()
        self.child = Child(
            "logbench.running.worker_tasks:serve", beside, list(block), limits.timeout, limits.memory_mb,
            str(self.folder), env=env, leads=True,
        )  # fmt: skip
        self.limits = limits
        self.number: int | None = None
        self.running, self.since = Running("start"), 0.0

    def give(self, number: int, task: Task) -> None:
        """Start task `number`."""
        self.number, self.running, self.since = number, Running("start"), 0.0
        self.child.pipe.send(task)

    def answer(self, note: Callable[[str], None]) -> tuple[str, Any] | Ended | None:
        """Next answer of the task as (`kind`, value); None while it runs."""
        ended = self.child.ended  # checked first, so that its last messages are still read below
        try:
            for _ in range(AT_ONCE):
                if not self.child.pipe.poll():
                    break
                kind, value = self.child.pipe.recv()
                if kind == "note":
                    note(value)
                elif kind == "running":
                    self._at(value)
                elif kind == "broken":
                    return Ended(self.running.stage, "Broken", value)
                else:
                    return kind, value
        except (EOFError, OSError):
            ended = True
        if ended:
            return Ended(self.running.stage, "Killed", self.child.how())
        return self._over()

    def close(self) -> None:
        """Kill the process and its descendants, and remove its handed-out files."""
        self.child.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _over(self) -> Ended | None:
        """The end of a task beyond its limits; models have their own limits in `model_processes`."""
        stage, timeout, memory = self.running.stage, self.limits.timeout, self.limits.memory_mb
        if timeout is not None and stage in LATE and time.monotonic() - self.since > max(timeout, LATE_S):
            return Ended(stage, "Timeout", f"took longer than {max(timeout, LATE_S):g} s to evaluate")
        if memory is not None and stage not in OWN and (taken := self.child.memory_mb()) > memory:
            return Ended(stage, "MemoryLimit", f"took {taken:,.0f} MB, more than --memory-limit {memory:,.0f} MB")
        return None

    def _at(self, running: Running) -> None:
        if (running.stage in LATE) != (self.running.stage in LATE):
            self.since = time.monotonic()
        self.running = running


def threads(beside: int) -> dict[str, str]:
    """Environment variables that divide the cores between workers; the user's own settings win."""
    return dict.fromkeys(THREADS, str(max(1, (os.cpu_count() or 1) // beside))) if beside > 1 else {}


class Crew:
    """Workers that do tasks in parallel. A context manager, which kills all processes at its end.

    Args:
        jobs: most workers.
        block: plugins not to load.
        limits: limits of each run.
        note: receives the notes of runs.
    """

    def __init__(self, jobs: int, block: Sequence[str], limits: Limits, note: Callable[[str], None]) -> None:
        self.jobs = jobs
        self._block, self._limits, self._note = block, limits, note
        self._workers: list[Worker] = []

    def __enter__(self) -> Crew:
        remove_left()
        self._workers.append(Worker(self.jobs, self._block, self._limits))  # it starts while plans are made
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.close()
        remove_left()

    def do(
        self, tasks: Sequence[Task], watch: Callable[[Mapping[int, Running]], None] = lambda _: None
    ) -> Iterator[tuple[int, str, Any]]:
        """Do tasks; yield index of the task, `kind` and value of each answer as it arrives.

        The last answer of a task has kind `done`, `failed` (see `failure`) or `ended` (an `Ended`).

        Args:
            watch: called often with the running tasks.
        """
        waiting = deque(range(len(tasks)))
        while waiting or any(worker.number is not None for worker in self._workers):
            self._hand_out(tasks, waiting)
            busy = [worker for worker in self._workers if worker.number is not None]
            watch({worker.number: worker.running for worker in busy if worker.number is not None})
            wait([worker.child.pipe for worker in busy], TICK_S)
            for worker in busy:
                answer = worker.answer(self._note)
                number = worker.number
                if answer is None or number is None:
                    continue
                if isinstance(answer, Ended):
                    worker.close()
                    self._workers.remove(worker)
                    yield number, "ended", answer
                    continue
                kind, value = answer
                if kind in ("done", "failed"):
                    worker.number = None
                yield number, kind, value

    def _hand_out(self, tasks: Sequence[Task], waiting: deque[int]) -> None:
        """Give waiting tasks to free workers; start one only while none reads, so that it finds the cache full."""
        while waiting:
            worker = next((one for one in self._workers if one.number is None), None)
            if worker is None:
                reads = any(one.running.stage in READING for one in self._workers)
                if len(self._workers) >= self.jobs or reads:
                    return
                worker = Worker(self.jobs, self._block, self._limits)
                self._workers.append(worker)
            number = waiting.popleft()
            worker.give(number, tasks[number])


class Relay(Bars):
    """Reports stage and progress to the parent instead of showing them."""

    def __init__(self, send: Callable[[tuple[str, Any]], None]) -> None:
        super().__init__(enabled=False)
        self._send = send

    @contextmanager
    def stage(self, name: str) -> Iterator[Progress]:
        """See `Bars.stage`."""
        self._send(("running", Running(name)))
        last = time.monotonic()

        def report(done: float, total: float | None = None, detail: str = "") -> None:
            nonlocal last
            if time.monotonic() - last > TICK_S:
                last = time.monotonic()
                self._send(("running", Running(name, done, total, detail)))

        yield report

    def note(self, text: str) -> None:
        """See `Bars.note`."""
        self._send(("note", text))
