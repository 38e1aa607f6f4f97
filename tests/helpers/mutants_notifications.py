"""Wrong notifications: what each does wrong, the rule that finds it, and its functions."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any


def keeps_the_start() -> list[Callable[..., Any]]:
    """Needs the start of a run to take its end, which another process is told."""
    begun: list[Any] = []

    def logbench_run_started(plan: Any) -> None:
        begun.append(plan)

    def logbench_run_finished(record: Any) -> None:
        begun.pop()

    return [logbench_run_started, logbench_run_finished]


def once_only() -> list[Callable[..., Any]]:
    seen: list[str] = []

    def logbench_stage_finished(stage: Any) -> None:
        if seen.count(stage["name"]) > 1:
            raise ValueError(f"{stage['name']} again")
        seen.append(stage["name"])

    return [logbench_stage_finished]


def wants_metrics() -> list[Callable[..., Any]]:
    def logbench_run_finished(record: Any) -> None:
        if record.status != "ok":
            assert record.metrics, "no metrics"

    return [logbench_run_finished]


def compares() -> list[Callable[..., Any]]:
    def logbench_stage_finished(stage: Any) -> None:
        assert stage["items_per_s"] > 0

    return [logbench_stage_finished]


def prints() -> list[Callable[..., Any]]:
    def logbench_run_finished(record: Any) -> None:
        print(record.run_id)

    return [logbench_run_finished]


def seeds() -> list[Callable[..., Any]]:
    def logbench_run_started(plan: Any) -> None:
        random.seed(0)

    return [logbench_run_started]


def moves() -> list[Callable[..., Any]]:
    def logbench_run_finished(record: Any) -> None:
        os.chdir("..")

    return [logbench_run_finished]


def rounds() -> list[Callable[..., Any]]:
    def logbench_run_finished(record: Any) -> None:
        record.metrics = {}

    return [logbench_run_finished]


def renames() -> list[Callable[..., Any]]:
    def logbench_stage_finished(stage: Any) -> None:
        stage["name"] = stage["name"].upper()

    return [logbench_stage_finished]


def answers() -> list[Callable[..., Any]]:
    def logbench_run_started(plan: Any) -> Any:
        return plan

    return [logbench_run_started]


def has_a_default() -> list[Callable[..., Any]]:
    def logbench_run_started(plan: Any = None) -> None: ...

    return [logbench_run_started]


def by_keyword() -> list[Callable[..., Any]]:
    def logbench_run_finished(*, record: Any) -> None: ...

    return [logbench_run_finished]


NOTIFICATIONS: dict[str, tuple[str, Callable[[], list[Callable[..., Any]]]]] = {
    "needs what another process was told": ("runs", keeps_the_start),
    "takes one run only": ("again", once_only),
    "wants metrics of a run that failed": ("failed", wants_metrics),
    "compares a rate that may be None": ("runs", compares),
    "prints to standard output": ("quiet", prints),
    "seeds the random states": ("quiet", seeds),
    "changes the working directory": ("quiet", moves),
    "changes the record": ("same", rounds),
    "changes a stage": ("same", renames),
    "returns what nobody reads": ("runs", answers),
    "gives its argument a default": ("arguments", has_a_default),
    "takes its argument by keyword": ("runs", by_keyword),
}
