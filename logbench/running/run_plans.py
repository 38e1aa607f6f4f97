"""Plans run by workers: each becomes a record, kept here, whatever happens to its process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, cast

from ..api.plan import Plan
from ..api.record import RunRecord
from ..api.record_sections import ErrorFacts
from ..base.progress_bars import Bars
from ..components.registry import Registry
from . import records, run_names, worker_tasks
from .resolve import resolve
from .results import begun
from .workers import DoesTasks, Ended, Running, Task

Record = Mapping[str, Any]


def run_plans(
    plans: Sequence[Plan],
    registry: Registry,
    crew: DoesTasks,
    watch: Callable[[Mapping[int, Running]], None] = lambda _: None,
) -> Iterator[tuple[int, Record]]:
    """Index of the plan and record of every run, in the order in which they end; each is appended to the records.

    Args:
        watch: is told often what runs.
    """
    contended = min(crew.jobs, len(plans))
    for number, kind, value in crew.do([Task(worker_tasks.run, plan) for plan in plans], watch):
        if kind == "done":
            continue
        lost = kind != "row"
        record = _lost(plans[number], registry, value, contended) if lost else RunRecord(**value)
        records.append(record, plans[number].out)
        if lost:
            registry.notify("run_finished", record=record)
        yield number, record.as_dict()


def _lost(plan: Plan, registry: Registry, failure: Ended | Record, contended: int) -> RunRecord:
    """The record of a run that left none: its process ended, or it could not begin."""
    made = begun(resolve(plan, registry), run_names.new_run(plan.model))
    if contended > 1:
        made["environment"]["contended"] = contended
    if isinstance(failure, Ended):
        error: ErrorFacts = {"stage": failure.stage, "type": failure.type, "message": failure.message}
    else:
        error = cast(ErrorFacts, {"stage": "start", **failure})
    return RunRecord(**made, status="error", isolation="worker", error=error)


class StageBars:
    """Shows the stage that one worker is in as a bar of its own. A context manager."""

    def __init__(self, bars: Bars) -> None:
        self._bars, self._stage = bars, ""
        self._stack = ExitStack()
        self._progress: Any = None

    def __enter__(self) -> StageBars:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def __call__(self, running: Mapping[int, Running]) -> None:
        """See `run_plans`: `watch`."""
        for one in running.values():
            if one.stage != self._stage:
                self._stack.close()
                self._stage = one.stage
                self._progress = self._stack.enter_context(self._bars.stage(one.stage))
            if one.total or one.done:
                self._progress(one.done, one.total, one.detail)
