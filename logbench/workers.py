"""Runs in processes of their own, so that one can be ended: started afresh, never forked (polars has threads).

A worker serves one run after another and keeps what they share. It leads a process group of its own, so that
Ctrl-C reaches only the parent and whatever a model starts ends with its worker.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe, wait
from queue import SimpleQueue
from typing import Any

from .interfaces import Progress
from .plan import Plan, resolve
from .prepare import Shared
from .progress import Bars
from .registry import Registry
from .runner import execute

READING = frozenset({"start", "locate", "read", "group"})
"""Stages in which a worker may fill the cache of grouped lines."""
TIMED = frozenset({"fit", "score"})
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")
TICK_S = 0.5
EVALUATE_S = 60.0
"""Least seconds to evaluate: most of it is the harness's own, and a fresh worker loads its libraries first."""


@dataclass(frozen=True)
class Ended:
    """A run whose process ended before it: at which stage, what kind of end, and one line."""

    stage: str
    type: str
    message: str


Outcome = Mapping[str, Any] | Ended
"""A record as JSON values, already appended to the records, or how the run ended without one."""


class Worker:
    """A process that runs plans.

    Args:
        beside: how many workers run side by side. block: plugins kept out.
    """

    def __init__(self, beside: int, block: Sequence[str]) -> None:
        self.pipe, theirs = Pipe()
        with theirs:
            code = f"import sys; sys.path[:] = {sys.path!r}; from logbench.workers import serve"
            call = f"serve({theirs.fileno()}, {beside}, {list(block)!r})"
            self.process = subprocess.Popen(
                [sys.executable, "-c", f"{code}; {call}"],
                env={**_threads(beside), **os.environ},
                stdin=subprocess.DEVNULL,
                stdout=2,  # a model's own prints must not stand among the results
                pass_fds=[theirs.fileno()],
                process_group=0,
            )
        self.number: int | None = None
        self.stage, self.detail, self.since = "start", "", 0.0

    def give(self, number: int, plan: Plan) -> None:
        """Start run `number`."""
        self.number, self.stage, self.detail = number, "start", ""
        self.pipe.send(plan)

    def outcome(self, timeout: float | None, note: Callable[[str], None]) -> Outcome | None:
        """How the run went; None while it goes on. `timeout`: see `run_apart`."""
        ended = self.process.poll() is not None  # asked first: what it sent before is still read below
        try:
            while self.pipe.poll():
                kind, value = self.pipe.recv()
                if kind == "record":
                    record: Mapping[str, Any] = value
                    return record
                if kind == "broken":
                    return Ended(self.stage, "Broken", value)
                if kind == "note":
                    note(value)
                else:
                    self._at(*value)
        except (EOFError, ConnectionError):
            ended = True
        if ended:
            self.process.wait()
            return Ended(self.stage, "Killed", _how(self.process.returncode))
        if timeout is not None and self.since:
            own = self.stage in TIMED
            most = timeout if own else max(timeout, EVALUATE_S)
            if time.monotonic() - self.since > most:
                self.kill()
                said = f"--timeout {timeout:g} s to fit and score" if own else f"{most:g} s to evaluate"
                return Ended(self.stage, "Timeout", f"took longer than {said}")
        return None

    def _at(self, stage: str, detail: str) -> None:
        if (stage in TIMED) != (self.stage in TIMED):
            self.since = time.monotonic()
        self.stage, self.detail = stage, detail

    def free(self) -> None:
        """Ready for the next run."""
        self.number, self.since = None, 0.0

    def kill(self) -> None:
        """End the process, and all that it started, at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.pipe.close()


def _threads(beside: int) -> dict[str, str]:
    """Environment that divides the cores; the user's own settings prevail."""
    return dict.fromkeys(THREADS, str(max(1, (os.cpu_count() or 1) // beside))) if beside > 1 else {}


def _how(code: int) -> str:
    if code >= 0:
        return f"its process ended with code {code}"
    guess = " (out of memory?)" if -code == signal.SIGKILL else f" ({signal.Signals(-code).name})"
    return f"killed by signal {-code}{guess}"


def run_apart(
    plans: Sequence[Plan],
    *,
    jobs: int = 1,
    timeout: float | None = None,
    block: Sequence[str] = (),
    note: Callable[[str], None],
    watch: Callable[[Mapping[int, str]], None],
) -> Iterator[tuple[int, Outcome]]:
    """Run plans in worker processes; yields each plan's index with its outcome, as they finish.

    Args:
        jobs: how many run side by side.
        timeout: most seconds that one may fit and score, and then evaluate (there `EVALUATE_S` at least); reading
            and parsing are not counted.
        block: plugins kept out; workers load all others that are installed.
        note: gets the runs' notes. watch: is told often what runs, as index → stage.
    """
    waiting, workers = deque(range(len(plans))), list[Worker]()
    beside = min(jobs, len(plans))
    try:
        while waiting or any(worker.number is not None for worker in workers):
            _hand_out(plans, waiting, workers, beside, block)
            busy = [worker for worker in workers if worker.number is not None]
            watch({worker.number: f"{worker.stage} {worker.detail}".strip() for worker in busy})  # type: ignore[misc]
            wait([worker.pipe for worker in busy], TICK_S)
            for worker in busy:
                outcome = worker.outcome(timeout, note)
                if outcome is None:
                    continue
                number = worker.number
                assert number is not None
                worker.free()
                if isinstance(outcome, Ended):
                    worker.kill()
                    workers.remove(worker)
                yield number, outcome
    finally:
        for worker in workers:
            worker.kill()


def _hand_out(
    plans: Sequence[Plan], waiting: deque[int], workers: list[Worker], beside: int, block: Sequence[str]
) -> None:
    """Give waiting runs to free workers; a new one starts once no other reads, so that it finds the cache full."""
    while waiting:
        worker = next((one for one in workers if one.number is None), None)
        if worker is None:
            if len(workers) == beside or any(one.stage in READING for one in workers):
                return
            worker = Worker(beside, block)
            workers.append(worker)
        number = waiting.popleft()
        worker.give(number, plans[number])


class Relay(Bars):
    """Tells the parent which stage runs and how far it is, instead of showing it."""

    def __init__(self, send: Callable[[tuple[str, Any]], None]) -> None:
        super().__init__(enabled=False)
        self._send = send

    @contextmanager
    def stage(self, name: str) -> Iterator[Progress]:
        """See `Bars.stage`."""
        self._send(("stage", (name, "")))
        last = time.monotonic()

        def report(done: float, total: float | None = None, detail: str = "") -> None:
            nonlocal last
            if total and time.monotonic() - last > TICK_S:
                last = time.monotonic()
                self._send(("stage", (name, f"{done / total:.0%}")))

        yield report

    def note(self, text: str) -> None:
        """See `Bars.note`."""
        self._send(("note", text))


def serve(descriptor: int, beside: int, block: Sequence[str]) -> None:
    """The worker's side: run what comes in, until the parent is gone."""
    os.set_inheritable(descriptor, False)
    pipe, lock, plans = Connection(descriptor), threading.Lock(), SimpleQueue[Plan]()

    def send(message: tuple[str, Any]) -> None:
        with lock:  # a model may report from a thread
            pipe.send(message)

    threading.Thread(target=_listen, args=(pipe, plans), daemon=True).start()
    registry, shared = Registry(block=block), Shared(contended=beside if beside > 1 else 0)
    bars = Relay(send)
    while True:
        try:
            record = execute(resolve(plans.get(), registry), registry, shared, bars)
        except BaseException as error:  # such as a panic in polars: what is left of this process is not trusted
            send(("broken", f"{type(error).__name__}: {' '.join(str(error).split())}"))
            raise
        send(("record", record.as_dict()))


def _listen(pipe: Connection, plans: SimpleQueue[Plan]) -> None:
    try:
        while True:
            plans.put(pipe.recv())
    except (EOFError, OSError):
        os.killpg(0, signal.SIGKILL)
