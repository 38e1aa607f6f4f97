"""What a study of many runs works with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

from ..api.executor import Executor, ExecutorComponent, ExecutorRequest, Watch
from ..api.plan import Plan
from ..api.record_sections import Record
from ..base.child_process import Limits
from ..base.progress_bars import Bars
from ..components.registry import Registry
from ..running.local_crew import LocalCrew
from ..running.remote import Remote
from ..running.run_plans import StageBars, answers, run_plans
from ..running.workers import Crew

T = TypeVar("T")


@dataclass(frozen=True)
class Workbench:
    """Built once for a command, and handed to every study that it asks for.

    Attributes:
        registry: where components are found. bars: show progress and notes. executor: does the runs.
        resume: take over what ran before with the same plan, data and code, where a study can.

    Examples:
        >>> bench = Workbench.here()
        >>> ((_, record),) = bench.run([Plan(model="length", dataset="hdfs-sim")])
        >>> record["status"]
        'ok'
    """

    registry: Registry
    bars: Bars
    executor: Executor
    resume: bool = True

    @classmethod
    def here(
        cls,
        registry: Registry | None = None,
        bars: Bars | None = None,
        executor: Executor | None = None,
        *,
        resume: bool = True,
    ) -> Workbench:
        """By default, runs of all installed plugins, in this process, without progress bars."""
        registry, bars = registry or Registry(), bars or Bars(enabled=False)
        return cls(registry, bars, executor or LocalCrew(registry, bars), resume)

    def run(self, plans: Sequence[Plan], watch: Watch | None = None) -> Iterator[tuple[int, Record]]:
        """Index of the plan and record of every run, in the order in which they end; see `run_plans`.

        Args:
            watch: is told often what runs; by default the stage that runs is shown as a bar.
        """
        with self._watching(watch) as told:
            yield from run_plans(plans, self.registry, self.executor, told)

    def map(
        self, function: Callable[[Plan], T], plans: Sequence[Plan], watch: Watch | None = None
    ) -> Iterator[tuple[int, T | BaseException]]:
        """See `Executor.map`, and `run` for `watch`."""
        with self._watching(watch) as told:
            yield from answers(function, plans, self.executor, told)

    def _watching(self, watch: Watch | None) -> AbstractContextManager[Watch]:
        return StageBars(self.bars) if watch is None else nullcontext(watch)


@contextmanager
def open_workbench(
    registry: Registry,
    block: Sequence[str] = (),
    limits: Limits | None = None,
    *,
    jobs: int | None = None,
    resume: bool = True,
    executor: ExecutorComponent | None = None,
    address: str = "",
) -> Iterator[Workbench]:
    """A workbench whose runs are in worker processes; at the end no process is left.

    Args:
        block: plugins kept out. limits: of each run. jobs: most runs side by side; None: one here, as many as
            there is room for on an executor.
        executor: where the worker processes are, with the address that it is asked for; None: on this machine.
    """
    limits = limits or Limits()
    with Bars() as bars, Crew((jobs or 1) if executor is None else 1, block, limits, bars.note) as crew:
        if executor is None:
            yield Workbench(registry, bars, crew, resume)
            return
        with executor.open(ExecutorRequest(address, jobs, bars.note)) as inner:
            remote = Remote(inner, crew, registry, block, limits, bars.note)
            yield Workbench(registry, bars, remote, resume)
