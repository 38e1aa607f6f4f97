"""Run plans in worker processes that can be killed, so that no plugin can end the command.

Workers are spawned, never forked, because polars is multi-threaded. A worker reads the data, keeps the labels,
decides and evaluates; models fit and score in processes that it starts (`model_processes`). It does one run after
another and keeps results that they share.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import wait
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from ..api.executor import Running, Watch
from ..base.child_process import TICK_S, Limits
from ..base.code_digests import Asked, known
from ..base.failure import ReportedError, error_of
from ..base.progress import Progress
from ..base.progress_bars import Bars
from ..base.temporary_folders import remove_left
from .first_worker import started
from .more_workers import Pays

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
T = TypeVar("T")


class Worker:
    """A process that serves plans, one at a time."""

    def __init__(self, beside: int, block: Sequence[str], limits: Limits) -> None:
        self._started = started(beside, block, limits)
        self.child, self.limits = self._started.child, limits
        self.number: int | None = None
        self.dead = False
        self._told: set[Asked] = set()
        self.running, self.since = Running("start"), 0.0

    def give(self, number: int, function: Callable[[Plan], Any], plan: Plan) -> None:
        """Start plan `number`; what this process knows of code goes with it."""
        self.number, self.running, self.since = number, Running("start"), 0.0
        found = {asked: code for asked, code in known().items() if asked not in self._told}
        self._told |= set(found)
        self.child.pipe.send((function, plan, found))

    def answer(self, note: Callable[[str], None]) -> tuple[Any] | None:
        """The answer in a tuple, see `Executor.map`; None while it runs. Sets `dead` if the process died."""
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
                    return self._ended("Broken", value)
                else:
                    self.number = None
                    return (error_of(value) if kind == "failed" else value,)
        except (EOFError, OSError):
            ended = True
        if ended:
            return self._ended("Killed", self.child.how())
        return self._over()

    def close(self) -> None:
        """Kill the process and its descendants, and remove its handed-out files."""
        self._started.end()

    def _over(self) -> tuple[Any] | None:
        """The end of a plan beyond its limits; models have their own limits in `model_processes`."""
        stage, timeout, memory = self.running.stage, self.limits.timeout, self.limits.memory_mb
        if timeout is not None and stage in LATE and time.monotonic() - self.since > max(timeout, LATE_S):
            return self._ended("Timeout", f"took longer than {max(timeout, LATE_S):g} s to evaluate")
        if memory is not None and stage not in OWN and (taken := self.child.memory_mb()) > memory:
            return self._ended("MemoryLimit", f"took {taken:,.0f} MB, more than --memory-limit {memory:,.0f} MB")
        return None

    def _ended(self, kind: str, message: str) -> tuple[Any]:
        """The answer of a process that died or has to."""
        self.dead = True
        return (ReportedError({"stage": self.running.stage, "type": kind, "message": message}),)

    def _at(self, running: Running) -> None:
        if (running.stage in LATE) != (self.running.stage in LATE):
            self.since = time.monotonic()
        self.running = running


@dataclass(frozen=True)
class Jobs:
    """Most runs side by side.

    Attributes:
        as_it_pays: no more than pay, see `Crew`.
    """

    most: int
    as_it_pays: bool = False


class Crew:
    """An `Executor` of worker processes. A context manager, which kills all processes at its end.

    Args:
        jobs: most workers.
        block: plugins not to load.
        limits: limits of each run.
        note: receives the notes of runs.
        as_it_pays: start another worker only where it pays, see `more_workers.Pays`.
    """

    def __init__(
        self,
        jobs: int,
        block: Sequence[str],
        limits: Limits,
        note: Callable[[str], None],
        *,
        as_it_pays: bool = False,
    ) -> None:
        self.jobs = jobs
        self._block, self._limits, self._note = block, limits, note
        self._workers: list[Worker] = []
        self._pays = Pays() if as_it_pays else None

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

    def map(self, function: Callable[[Plan], T], plans: Sequence[Plan]) -> Iterator[tuple[int, T | BaseException]]:
        """See `Executor.map`."""
        return self.map_watched(function, plans, lambda _: None)

    def map_watched(
        self, function: Callable[[Plan], T], plans: Sequence[Plan], watch: Watch
    ) -> Iterator[tuple[int, T | BaseException]]:
        """See `Watched`."""
        waiting = deque(enumerate(plans))
        while waiting or any(worker.number is not None for worker in self._workers):
            self._hand_out(function, waiting)
            busy = [worker for worker in self._workers if worker.number is not None]
            watch({worker.number: worker.running for worker in busy if worker.number is not None})
            wait([worker.child.pipe for worker in busy], TICK_S)
            for worker in busy:
                number, before = worker.number, worker.running.stage
                answer = worker.answer(self._note)
                if self._pays is not None and number is not None:
                    if before not in OWN | LATE and worker.running.stage in OWN | LATE:
                        self._pays.begun(number)
                    if answer is not None:
                        self._pays.ended(number)
                if worker.dead:
                    worker.close()
                    self._workers.remove(worker)
                if answer is not None and number is not None:
                    yield number, answer[0]

    def _hand_out(self, function: Callable[[Plan], Any], waiting: deque[tuple[int, Plan]]) -> None:
        """Give waiting plans to free workers; start one only while none reads, so that it finds the cache full."""
        while waiting:
            worker = next((one for one in self._workers if one.number is None), None)
            if worker is None:
                reads = any(one.running.stage in READING for one in self._workers)
                if len(self._workers) >= self.jobs or reads or not self._another(len(waiting)):
                    return
                worker = Worker(self.jobs, self._block, self._limits)
                self._workers.append(worker)
            number, plan = waiting.popleft()
            worker.give(number, function, plan)
            if self._pays is not None:
                self._pays.given(number)

    def _another(self, waiting: int) -> bool:
        """Whether one more worker pays."""
        if self._pays is None:
            return True
        return self._pays.another(waiting, max((one.child.memory_mb() for one in self._workers), default=0.0))


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
