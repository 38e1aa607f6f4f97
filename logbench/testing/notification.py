"""Rules for notifications: hooks that are told what happens take it, in whichever process, and disturb nothing."""

from __future__ import annotations

import contextlib
import copy
import inspect
import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..api.plan import Plan
from ..api.record import RunRecord
from .names import NOTIFICATIONS
from .outcome import expect
from .records import records
from .rule import Subject, rule
from .side_effects import watched

STARTED, STAGE, FINISHED = NOTIFICATIONS


def tell(subject: Subject, hook: str, **told: Any) -> None:
    """Call the plugin's implementation of a hook, if it has one, as the harness does."""
    for impl in getattr(subject.registry.manager.hook, hook).get_hookimpls():
        if impl.plugin_name == subject.part.entry.plugin.key:
            with contextlib.redirect_stderr(io.StringIO()):  # they may print there, and are told of many runs
                answer = impl.function(**{name: told[name] for name in impl.argnames})
            expect(answer is None, f"{hook} to return nothing, as nothing reads it", repr(answer)[:60])


def tell_run(subject: Subject, plan: Plan, stages: list[dict[str, Any]], record: RunRecord) -> None:
    """Tell of a whole run: its start, each stage that ended, its end."""
    tell(subject, STARTED, plan=plan)
    for stage in stages:
        tell(subject, STAGE, stage=stage)
    tell(subject, FINISHED, record=record, out=None)


def functions(subject: Subject) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The plugin's implementations, by hook."""
    for hook in NOTIFICATIONS:
        for impl in getattr(subject.registry.manager.hook, hook).get_hookimpls():
            if impl.plugin_name == subject.part.entry.plugin.key:
                yield hook, impl.function


def runs_of(status: str) -> list[tuple[Plan, list[dict[str, Any]], RunRecord]]:
    """What is told of the runs with this status: plan, stages that ended, record."""
    return [_told(record) for record in records() if record["status"] == status]


def _told(record: Mapping[str, Any]) -> tuple[Plan, list[dict[str, Any]], RunRecord]:
    plan = Plan(model=record["model"], dataset=record["dataset"].get("name", "tiny"), seed=record["seed"])
    stages = [{"name": name, **facts} for name, facts in record["stages"].items()]
    return plan, stages, RunRecord(**record)


@rule("notification", "runs", "each hook takes what it is told, alone too, and returns nothing")
def runs(subject: Subject) -> None:
    plan, stages, record = runs_of("ok")[0]
    # `logbench run` tells of a run's end in another process than of its start and stages.
    tell(subject, FINISHED, record=record, out=None)
    tell(subject, STAGE, stage=stages[0])
    tell(subject, STARTED, plan=plan)


@rule("notification", "again", "the hooks take several runs, one after the other")
def again(subject: Subject) -> None:
    for plan, stages, record in runs_of("ok") * 2:
        tell_run(subject, plan, stages, record)


@rule("notification", "failed", "the hooks take runs that fail or are skipped")
def failed(subject: Subject) -> None:
    for status in ("error", "skipped"):
        for plan, stages, record in runs_of(status):
            tell_run(subject, plan, stages, record)


@rule("notification", "arguments", "hooks name their arguments without defaults, else they get none")
def arguments(subject: Subject) -> None:
    for hook, function in functions(subject):
        for one in inspect.signature(function).parameters.values():
            told = one.name in ("plan", "stage", "record", "out")
            bare = one.kind is one.POSITIONAL_OR_KEYWORD and one.default is one.empty
            expect(bare or not told, f"{hook}({one.name}): a plain argument", f"{hook}({one})")


@rule("notification", "quiet", "nothing is printed to standard output, which belongs to tables and JSON")
def quiet(subject: Subject) -> None:
    with watched(subject.fresh("watched")) as watch:
        again(subject)
    expect(not watch.printed, "prints to standard error", f"printed {watch.printed[:60]!r}")
    expect(not watch.states, "random states left alone", f"changed {', '.join(watch.states)}")
    expect(not watch.moved, "the working directory left alone", "another")


@rule("notification", "same", "what is told stays as it was, because others are told it too")
def same(subject: Subject) -> None:
    for plan, stages, record in runs_of("ok")[:2]:
        before = copy.deepcopy((plan, stages, record))
        tell_run(subject, plan, stages, record)
        for hook, was, now in zip(NOTIFICATIONS, before, (plan, stages, record), strict=True):
            expect(was == now, f"{hook} to change nothing that it is told", "changed")
