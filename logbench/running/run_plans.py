"""Run plans by an executor and store a record of each, even if its process dies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, TypeVar

from ..api.executor import Executor, Running, Watch, Watched
from ..api.plan import Plan
from ..api.record import RunRecord
from ..api.record_sections import Record
from ..base.errors import PluginError
from ..base.failure import ReportedError, failure_of
from ..base.progress_bars import Bars
from ..components.registry import Registry
from . import records, run_names
from .resolve import resolve
from .run_task import PlanResult, run_plan, stored_record

T = TypeVar("T")


def answers(
    function: Callable[[Plan], T], plans: Sequence[Plan], executor: Executor, watch: Watch = lambda _: None
) -> Iterator[tuple[int, T | BaseException]]:
    """Answers of an executor as they arrive, see `Executor.map`: exactly one a plan.

    Args:
        watch: called often with the running plans, if the executor can tell.

    Raises:
        PluginError: it yields something else, or a second answer for a plan.
    """
    missing, name = set(range(len(plans))), type(executor).__name__
    if isinstance(executor, Watched):
        given = executor.map_watched(function, plans, watch)
    else:
        given = executor.map(function, plans)
    for answer in given:
        if not (isinstance(answer, tuple) and len(answer) == 2 and answer[0] in missing):
            raise PluginError(
                f"executor {name}: map must yield (index of a plan, answer), each index once; got {answer!r:.80}"
            )
        missing.remove(answer[0])
        yield answer
    for number in sorted(missing):
        yield number, ReportedError({"type": "Lost", "message": f"executor {name} gave no answer for this run"})


def run_plans(
    plans: Sequence[Plan], registry: Registry, executor: Executor, watch: Watch = lambda _: None
) -> Iterator[tuple[int, Record]]:
    """Run plans, store their tables and append their records; yield index of the plan and record as runs end.

    Args:
        watch: see `answers`.
    """
    for folder in {plan.out for plan in plans}:
        records.check_folder(folder)
    contended = min(getattr(executor, "jobs", 1), len(plans))
    for number, answer in answers(run_plan, plans, executor, watch):
        folder = plans[number].out
        if isinstance(answer, BaseException):
            record = _lost(plans[number], registry, answer, contended)
        elif not isinstance(answer, PlanResult):
            raise PluginError(
                f"executor {type(executor).__name__}: an answer that run_plan did not give: {answer!r:.80}"
            )
        else:
            record = stored_record(answer, folder)
        records.append(record, folder)
        registry.notify("run_finished", record=record, out=folder)  # the record is safe, whatever a plugin does
        yield number, record.as_dict()


def _lost(plan: Plan, registry: Registry, error: BaseException, contended: int) -> RunRecord:
    """Make the record of a run without one, because its process died or it could not start."""
    from .results import begun

    resolved = resolve(plan, registry)
    made = begun(resolved, run_names.new_run(resolved.model.name))
    if contended > 1:
        made["environment"]["contended"] = contended
    facts: Any = {"stage": "start", **failure_of(error)}
    return RunRecord(**made, status="error", isolation="worker", error=facts)


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
        if running:
            self._bars.beat(", ".join(map(str, running.values())))
        for one in running.values():
            if one.stage != self._stage:
                self._stack.close()
                self._stage = one.stage
                self._progress = self._stack.enter_context(self._bars.stage(one.stage))
            if one.total or one.done:
                self._progress(one.done, one.total, one.detail)
