"""Presets, tables, commands and notifications are checked as components are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from broken import Evaluator, offered
from distributions import distribution
from mutants_commands import COMMANDS, command, group, option
from mutants_notifications import NOTIFICATIONS
from mutants_published import PRESET, PRESETS, TABLE, TABLES, THEIRS

from logbench import EvaluatorComponent, testing
from logbench.components.registry import KINDS, Registry
from logbench.testing import Done, check, common_rules, rules_of
from logbench.testing.names import CHECKED, names_of

OFFERS = [kind for kind in CHECKED if kind not in KINDS]
COMMON = {name for name, _, _ in common_rules.RULES}


def violated(kind: Any, name: str = "mine", **given: Any) -> dict[str, str]:
    """What the rules find in an offer that stands beside good components."""
    offers = offered()
    offers["evaluators"] += [EvaluatorComponent("usual", lambda: Evaluator(None), default=True)]  # type: ignore[arg-type]
    offers["presets"] += given.pop("presets", [])
    outcomes = check(kind, name, registry=testing.registry(plugins=False, **offers, **given))
    return {one.rule: f"{one.expected} | {one.actual}" for one in outcomes if one.status == "violation"}


def told(*functions: Callable[..., Any]) -> dict[str, str]:
    return violated("notification", "registry", notifications=functions)


def test_good_ones_break_no_rule() -> None:
    seen: list[str] = []

    def logbench_run_started(plan: Any) -> None:
        seen.append(plan.model)

    def logbench_stage_finished(stage: Any) -> None:
        seen.append(stage["name"])

    def logbench_run_finished() -> None:
        seen.append("end")

    assert not violated("preset", presets=[PRESET]) and not violated("table", tables=[TABLE])
    size = option("--size", default=3, callback=lambda context, param, value: value)
    for good in (command(size, option("--flag", is_flag=True), option("--path")), group(command(size))):
        assert not violated("command", commands=[good])
    assert not told(logbench_run_started, logbench_stage_finished, logbench_run_finished)
    assert {"length", "failing", "fit", "end"} <= set(seen), "they are told of each kind of run"


@pytest.mark.parametrize("what", PRESETS)
def test_a_wrong_preset_is_found(what: str) -> None:
    rule, change, said = PRESETS[what]
    assert said in violated("preset", presets=[replace(PRESET, **change)])[rule]


@pytest.mark.parametrize("what", TABLES)
def test_a_wrong_table_is_found(what: str) -> None:
    rule, change, said = TABLES[what]
    assert said in violated("table", tables=[replace(TABLE, **change)])[rule]


@pytest.mark.parametrize("what", COMMANDS)
def test_a_wrong_command_is_found(what: str) -> None:
    rule, make = COMMANDS[what]
    assert rule in violated("command", commands=[make()])


@pytest.mark.parametrize("what", NOTIFICATIONS)
def test_a_wrong_notification_is_found(what: str) -> None:
    rule, make = NOTIFICATIONS[what]
    assert rule in told(*make())


@pytest.mark.parametrize("kind", OFFERS)
def test_each_rule_has_something_wrong_to_find(kind: Any) -> None:
    mutants: Any = {"preset": PRESETS, "table": TABLES, "command": COMMANDS, "notification": NOTIFICATIONS}[kind]
    found = {rule[0] for rule in mutants.values()} | ({"light"} if kind == "command" else set())
    assert {rule.name for rule in rules_of(kind)} - COMMON == found  # `light`: see mutants_installed


def test_a_row_that_cannot_be_reproduced_needs_no_model() -> None:
    assert not violated("table", tables=[replace(TABLE, rows=[*TABLE.rows, THEIRS])])


INSTALLED = [(kind, name) for kind in OFFERS for name in names_of(Registry(), kind)]


@pytest.mark.parametrize(("kind", "name"), INSTALLED, ids=[f"{kind} {name}" for kind, name in INSTALLED])
def test_everything_installed_keeps_its_contract(kind: Any, name: str) -> None:
    assert not [one for one in check(kind, name, registry=Registry()) if one.status == "violation"]


WATCH = """
import logbench

@logbench.hookimpl
def logbench_run_finished(RECORD):
    pass
"""


def test_the_command_checks_a_notification_by_its_plugin(
    run_logbench: Callable[..., Done], tmp_path: Path
) -> None:
    site = tmp_path / "site"
    code = WATCH.replace("RECORD", "record").replace("pass", "import sys; print('told', file=sys.stderr)")
    distribution(site, "watch", code)
    done = run_logbench("check", "watch", PYTHONPATH=str(site))
    assert done.code == 0 and "notification watch, from watch (dist-watch 0.1)" in done.out, done.err
    assert "told" not in done.err
    every = run_logbench("check", "--all", "--kind", "notification", PYTHONPATH=str(site))
    assert every.code == 0 and "3 checked" in every.err  # and the trackers


def test_a_notification_of_another_argument_is_said(run_logbench: Callable[..., Done], tmp_path: Path) -> None:
    site = tmp_path / "site"
    distribution(site, "watch", WATCH.replace("RECORD", "recrod"))
    done = run_logbench("check", "watch", PYTHONPATH=str(site))
    said = "logbench_run_finished has no argument 'recrod'; did you mean 'record'?"
    assert done.code == 2 and f"plugin watch (dist-watch 0.1) is set aside: {said}" in done.err
