"""Where runs are done: the door to pools of processes, clusters and other machines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from .plan import Plan

T = TypeVar("T")


class Executor(Protocol):
    """Does the runs of a study. It knows nothing of logs: it calls a function of logbench in some process.

    `logbench.leaderboard(executor=…)` takes one, and so does `logbench.Workbench.here(executor=…)` for every other
    study. `docs/how-to/executors.md` has one over `concurrent.futures`.
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
