"""What a study of many runs works with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TypeVar

from ..api.executor import Executor, ExecutorComponent, ExecutorRequest, Watch
from ..api.plan import Plan
from ..api.record_sections import Record
from ..base.child_process import Limits
from ..base.progress_bars import Bars
from ..components.registry import Registry
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
        from ..running.local_crew import LocalCrew

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
def open_elsewhere(
    executor: ExecutorComponent,
    address: str,
    near: Workbench,
    crew: Crew,
    *,
    block: Sequence[str],
    limits: Limits,
    jobs: int | None,
) -> Iterator[Workbench]:
    """A workbench whose worker processes are on an executor.

    Args:
        address: what the executor is asked for. near: one whose worker, `crew`, is on this machine. block: plugins
        kept out. limits: of each run. jobs: most runs side by side; None: as many as there is room for.
    """
    from ..running.remote import Remote

    with executor.open(ExecutorRequest(address, jobs, near.bars.note)) as inner:
        remote = Remote(inner, crew, near.registry, block, limits, near.bars.note)
        yield replace(near, executor=remote)
