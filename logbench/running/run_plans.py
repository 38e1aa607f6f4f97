"""Run plans in workers and store a record of each, even if its process dies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, cast

from ..api.plan import Plan
from ..api.record import RunRecord
from ..api.record_sections import ErrorFacts, Record
from ..base.progress_bars import Bars
from ..components.registry import Registry
from . import records, run_names, worker_tasks
from .resolve import resolve
from .results import begun
from .workers import DoesTasks, Ended, Running, Task


def run_plans(
    plans: Sequence[Plan],
    registry: Registry,
    crew: DoesTasks,
    watch: Callable[[Mapping[int, Running]], None] = lambda _: None,
) -> Iterator[tuple[int, Record]]:
    """Run plans and append their records; yield index of the plan and record as runs end.

    Args:
        watch: called often with the running tasks.
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
    """Make the record of a run without one, because its process died or it could not start."""
    made = begun(resolve(plan, registry), run_names.new_run(plan.model))
    if contended > 1:
        made["environment"]["contended"] = contended
    if isinstance(failure, Ended):
        error: ErrorFacts = {"stage": failure.stage, "type": failure.type, "message": failure.message}
    else:
        error = cast(ErrorFacts, {"stage": "start", **failure})
    return RunRecord(**made, status="error", isolation="worker", error=error)


class StageBars:
    """Shows the stage of a worker as a progress bar. A context manager."""

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
