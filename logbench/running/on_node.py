"""What travels to a machine of an executor, and what it does there: what a worker here would, or nothing."""

from __future__ import annotations

import atexit
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Generic, TypeVar

from ..api.plan import Plan
from ..base.child_process import Limits
from ..base.errors import DataError
from ..base.failure import ReportedError
from ..base.files import root, whole
from . import identity, worker_tasks
from .provenance import environment
from .resolve import ResolvedPlan, resolve
from .runtime import current, made_current
from .workers import Crew

T = TypeVar("T")
# Content of a file, in parts, each of which an executor shares.
Content = Mapping[str, Sequence[Callable[[], bytes]]]


@dataclass(frozen=True)
class Wanted:
    """The data and the code that a run must find on another machine.

    Attributes:
        path: of the data, where the command runs. digest: see `worker_tasks.data`. made: each machine makes them.
        code: see `code_of`. content: of the files below `path`, or of the file itself; empty while none was asked.
    """

    path: str
    digest: str
    made: bool
    code: Mapping[str, str]
    content: Content | None = None


@dataclass(frozen=True, kw_only=True)
class Parcel(Plan):
    """A plan as it travels.

    Attributes:
        asked: the plan itself, of whatever class. wanted: what it must find.
    """

    asked: Plan
    wanted: Wanted

    @classmethod
    def of(cls, plan: Plan, wanted: Wanted) -> Parcel:
        """The plan with what it must find."""
        return cls(model=plan.model, dataset=plan.dataset, data=plan.data, asked=plan, wanted=wanted)

    def plan_at(self, data: Path | None) -> Plan:
        """The plan alone, of data that lie elsewhere here."""
        return replace(self.asked, data=data)


@dataclass(frozen=True)
class Carried(Generic[T]):
    """An answer that comes back, and the notes of its run."""

    answer: T
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Lacking:
    """The machine has no such data."""

    host: str


@dataclass(frozen=True)
class OnNode(Generic[T]):
    """Calls a function of plans in a worker process of the machine where it is called, within limits.

    Attributes:
        function: see `Executor.map`. block: plugins not to load. limits: of each run.
    """

    function: Callable[[Plan], T]
    block: tuple[str, ...]
    limits: Limits

    def __call__(self, plan: Plan) -> Carried[T | BaseException] | Lacking:
        """See `Executor.map`."""
        assert isinstance(plan, Parcel)
        wanted = plan.wanted
        data = plan.data if wanted.made else self._data(wanted)
        if data is None and not wanted.made:
            return Lacking(socket.gethostname())
        crew, notes = _crew(self.block, self.limits)
        notes.clear()
        task = partial(checked, function=self.function, wanted=wanted)
        ((_, answer),) = crew.map(task, [plan.plan_at(data)])
        return Carried(answer, tuple(notes))

    def _data(self, wanted: Wanted) -> Path | None:
        """The same path, or what was sent; None if there is neither."""
        if (path := Path(wanted.path)).exists():
            return path
        return None if wanted.content is None else _received(wanted)


@cache
def _crew(block: tuple[str, ...], limits: Limits) -> tuple[Crew, list[str]]:
    """One worker process for all plans that this process serves, and its notes."""
    notes: list[str] = []
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(Crew(1, block, limits, notes.append)), notes


def _received(wanted: Wanted) -> Path:
    """Write what was sent into the cache, once a machine."""
    assert wanted.content is not None
    folder = root() / "received" / wanted.digest[:24]
    if not folder.exists():
        with whole(folder) as target:
            for name, parts in wanted.content.items():
                (file := target / name).parent.mkdir(parents=True, exist_ok=True)
                with file.open("wb") as written:
                    for part in parts:
                        written.write(part())
    name = Path(wanted.path).name
    return folder / name if [*wanted.content] == [name] else folder


def checked(plan: Plan, *, function: Callable[[Plan], T], wanted: Wanted) -> T:
    """Call a function of a plan, unless code or data here are not those of the command; no file is written.

    Raises:
        DataError: they are not.
    """
    runtime, host = current(), socket.gethostname()
    here = code_of(resolve(plan, runtime.registry))
    if other := sorted(name for name in {*here, *wanted.code} if here.get(name) != wanted.code.get(name)):
        raise DataError(
            f"{host} has another release or other code of {', '.join(other)} than this machine; install the same"
        )
    there = worker_tasks.data(plan)
    if there["digest"] != wanted.digest:
        raise DataError(
            f"{host} has other data in {there['path']}: digest {there['digest']:.12}, not {wanted.digest:.12}; "
            "put the same files there, or none, so that they are sent"
        )
    with made_current(replace(runtime, stores=False)):
        return function(plan)


def code_of(resolved: ResolvedPlan) -> dict[str, str]:
    """What a run is made by: digests of the code of logbench and of plugins, releases of Python and packages."""
    machine = environment()
    plugins = identity.plugins(resolved.parts).items()
    return {
        "logbench": str(identity.core_digest()),
        "Python": str(machine["python"]),
        **{name: str(version) for name, version in machine["packages"].items()},
        **{f"plugin {name}": f"{facts['code']} {facts['libraries']}" for name, facts in plugins},
    }


def failed(lacking: Lacking, wanted: Wanted) -> ReportedError:
    """The answer where data cannot be sent."""
    error = f"{lacking.host} has no {wanted.path}, and this executor sends no files; put the data there"
    return ReportedError({"type": "DataError", "message": error})
