"""Do the tasks of `workers.Crew` in this process, for Python callers whose components are not installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..base.failure import failure_of
from ..base.progress_bars import Bars
from ..components.registry import Registry
from .runtime import Runtime
from .workers import Running, Task


class LocalCrew:
    """Does one task after another in this process, without limits of time and memory.

    Args:
        registry: finds components.
        bars: show progress and notes.
    """

    jobs = 1

    def __init__(self, registry: Registry, bars: Bars) -> None:
        self._runtime = Runtime(registry, bars)

    def do(
        self, tasks: Sequence[Task], watch: Callable[[Mapping[int, Running]], None] = lambda _: None
    ) -> Iterator[tuple[int, str, Any]]:
        """See `Crew.do`."""
        for number, task in enumerate(tasks):
            try:
                for row in task.do(self._runtime, task.plan):
                    yield number, "row", row
            except Exception as error:
                yield number, "failed", failure_of(error)
            else:
                yield number, "done", None
