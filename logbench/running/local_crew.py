"""The `Executor` of this process, for Python callers whose components are not installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from ..api.plan import Plan
from ..base.progress_bars import Bars
from ..components.registry import Registry
from .runtime import Runtime, made_current

T = TypeVar("T")


class LocalCrew:
    """Does one plan after another in this process, without limits of time and memory.

    Args:
        registry: finds components.
        bars: show progress and notes.
    """

    def __init__(self, registry: Registry, bars: Bars) -> None:
        self._runtime = Runtime(registry, bars, stores=True)

    def map(self, function: Callable[[Plan], T], plans: Sequence[Plan]) -> Iterator[tuple[int, T | BaseException]]:
        """See `Executor.map`."""
        for number, plan in enumerate(plans):
            answer: T | BaseException
            try:
                with made_current(self._runtime):
                    answer = function(plan)
            except Exception as error:
                answer = error
            yield number, answer
