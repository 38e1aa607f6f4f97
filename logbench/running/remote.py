"""An `Executor` over a plugin's: plans travel with digests of data and code, answers come with their tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast

from ..api.executor import Executor, Running, Shares, Watch
from ..api.plan import Plan
from ..base.child_process import Limits
from ..components.registry import Registry
from . import identity, sharded, worker_tasks
from .on_node import Carried, Content, Lacking, OnNode, Parcel, Wanted, code_of, failed
from .resolve import resolve
from .run_plans import answers
from .run_task import PlanResult
from .workers import Crew

T = TypeVar("T")
# Functions of the machine of the command: they look at data and components, and fill its cache.
LOOKS: tuple[Callable[[Plan], Any], ...] = (
    worker_tasks.data,
    worker_tasks.metrics,
    sharded.shards_of,
    sharded.store_merged,
)
# Bytes of a part of a file that is sent.
PART = 64 << 20


class Remote:
    """Runs plans on machines of another executor, in worker processes, within limits.

    Args:
        inner: calls functions somewhere. here: looks at data on this machine.
        registry: finds components here. block, limits: see `OnNode`. note: receives the notes of runs.
    """

    def __init__(
        self,
        inner: Executor,
        here: Crew,
        registry: Registry,
        block: Sequence[str],
        limits: Limits,
        note: Callable[[str], None],
    ) -> None:
        self._inner, self._here, self._registry = inner, here, registry
        self._block, self._limits, self._note = tuple(block), limits, note
        self._located: dict[str, dict[str, Any] | BaseException] = {}
        self._sent: dict[str, Content] = {}

    @property
    def jobs(self) -> int:
        """Most runs side by side."""
        return int(getattr(self._inner, "jobs", 1))

    def map(self, function: Callable[[Plan], T], plans: Sequence[Plan]) -> Iterator[tuple[int, T | BaseException]]:
        """See `Executor.map`."""
        return self.map_watched(function, plans, lambda _: None)

    def map_watched(
        self, function: Callable[[Plan], T], plans: Sequence[Plan], watch: Watch
    ) -> Iterator[tuple[int, T | BaseException]]:
        """See `Watched`."""
        if function in LOOKS:
            yield from self._here.map_watched(function, plans, watch)
            return
        self._locate(plans)
        parcels: dict[int, Parcel] = {}
        for number, plan in enumerate(plans):
            located = self._located[self._asked(plan)]
            if isinstance(located, BaseException):
                yield number, located
            else:
                code = code_of(resolve(plan, self._registry))
                wanted = Wanted(located["path"], located["digest"], located["made"], code)
                parcels[number] = Parcel.of(plan, wanted)
        lacking = yield from self._round(function, parcels, watch)
        if isinstance(self._inner, Shares) and lacking:
            again = {number: self._with_content(parcels[number], self._inner) for number in lacking}
            lacking = yield from self._round(function, again, watch)
        for number, one in lacking.items():
            yield number, failed(one, parcels[number].wanted)

    def _round(
        self, function: Callable[[Plan], T], parcels: Mapping[int, Parcel], watch: Watch
    ) -> Any:  # a generator: yields answers, returns those that lack data
        numbers, lacking = list(parcels), dict[int, Lacking]()
        task: Callable[[Plan], Any] = OnNode(function, self._block, self._limits)

        def told(running: Mapping[int, Running]) -> None:
            watch({numbers[at]: one for at, one in running.items()})

        for at, answer in answers(task, list(parcels.values()), self._inner, told) if parcels else ():
            number = numbers[at]
            if isinstance(answer, Lacking):
                lacking[number] = answer
            elif isinstance(answer, Carried):
                for text in answer.notes:
                    self._note(text)
                yield number, _home(answer.answer, parcels[number].wanted)
            else:
                yield number, answer
        return lacking

    def _locate(self, plans: Sequence[Plan]) -> None:
        """Find the data of the plans on this machine, once each."""
        asked = {name: plan for plan in plans if (name := self._asked(plan)) not in self._located}
        names = list(asked)
        for number, answer in self._here.map(worker_tasks.data, list(asked.values())):
            self._located[names[number]] = answer

    def _asked(self, plan: Plan) -> str:
        return f"{plan.data} {identity.of({'dataset': resolve(plan, self._registry).dataset}).text}"

    def _with_content(self, parcel: Parcel, inner: Shares) -> Parcel:
        located = self._located[self._asked(parcel.asked)]
        assert not isinstance(located, BaseException)
        if located["path"] not in self._sent:
            self._note(f"sending {located['path']} to machines that have no such path")
            self._sent[located["path"]] = _shared(located, inner)
        return replace(parcel, wanted=replace(parcel.wanted, content=self._sent[located["path"]]))


def _shared(located: Mapping[str, Any], inner: Shares) -> Content:
    path, content = Path(located["path"]), dict[str, list[Callable[[], bytes]]]()
    for file in map(Path, located["files"]):
        name = path.name if file == path else str(file.relative_to(path))
        content[name] = []
        with file.open("rb") as opened:
            while part := opened.read(PART):
                content[name].append(inner.share(part))
    return content


def _home(answer: Any, wanted: Wanted) -> Any:
    """An answer as if it were of this machine: its data lie where the command found them."""
    if isinstance(answer, PlanResult) and "path" in (data := answer.record["dataset"]):
        record = cast(Any, {**answer.record, "dataset": {**data, "path": wanted.path}})
        return replace(answer, record=record)
    return answer
