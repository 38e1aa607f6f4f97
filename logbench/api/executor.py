"""Where runs are done: the door to pools of processes, clusters and other machines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, runtime_checkable

from .plan import Plan

T = TypeVar("T")


class Executor(Protocol):
    """Does the runs of a study. It knows nothing of logs: it calls a function of logbench in some process.

    A plugin offers one for `--executor NAME`, see `ExecutorComponent`. From Python,
    `logbench.leaderboard(executor=…)` takes one, and so does `logbench.Workbench.here(executor=…)` for every other
    study. `docs/how-to/executors.md` has one over `concurrent.futures`.

    It may have more: an attribute `jobs` (most plans side by side), `map_watched` (see `Watched`) and `share` (see
    `Shares`).
    """

    def map(self, function: Callable[[Plan], T], plans: Sequence[Plan]) -> Iterator[tuple[int, T | BaseException]]:
        """Call `function(plan)` for each plan, in any process and order; yield answers as they arrive.

        Args:
            function: a function of logbench's own, mostly `logbench.run_plan`. Function, plan and answer can be
                pickled. A process may serve many plans, one at a time, which then share their work.

        Yields:
            Index of the plan, and what the function returned: or the exception that it raised, or that says how
            its process died. That run becomes a row with the reason, and the study goes on.
        """


@dataclass(frozen=True)
class Running:
    """Stage and progress of a plan that runs.

    Attributes:
        stage: in a word or two. done, total: items; None where their number is unknown.
        detail: shown beside a bar.
    """

    stage: str
    done: float = 0.0
    total: float | None = None
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.stage} {self.done / self.total:.0%}" if self.total else self.stage


# Is told the plans that run now, by their index.
Watch = Callable[[Mapping[int, Running]], None]


@runtime_checkable
class Watched(Protocol):
    """An executor that can tell what runs."""

    def map_watched(
        self, function: Callable[[Plan], T], plans: Sequence[Plan], watch: Watch
    ) -> Iterator[tuple[int, T | BaseException]]:
        """See `Executor.map`; `watch` is called often, with the running plans by their index."""


@runtime_checkable
class Shares(Protocol):
    """An executor that can send a large value once and have it on every machine, such as by an object store."""

    def share(self, value: bytes) -> Callable[[], bytes]:
        """Something to call in a process of the executor, where it gives the value; it can be pickled."""


@dataclass(frozen=True)
class ExecutorRequest:
    """What a command asks of an executor.

    Attributes:
        address: what stands behind `://` in `--executor NAME://ADDRESS`; empty if nothing.
        jobs: most runs side by side; None: as many as there is room for.
        note: prints a line for the user.
    """

    address: str = ""
    jobs: int | None = None
    note: Callable[[str], None] = lambda _: None


@dataclass(frozen=True)
class ExecutorComponent:
    """An executor that a plugin offers, for `--executor NAME` or `--executor NAME://ADDRESS`.

    Attributes:
        name: what the user types.
        open: gives the executor as a context manager, which lets go of everything at its end.
        summary: one line.
        requires: distributions that it needs beside its plugin's dependencies, as in `BaseComponent`.

    A plugin that offers one stands in `docs/hooks/executors.md`.
    """

    name: str
    open: Callable[[ExecutorRequest], AbstractContextManager[Executor]]
    summary: str = ""
    requires: tuple[str, ...] = field(default=(), kw_only=True)
