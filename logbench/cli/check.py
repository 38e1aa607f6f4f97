"""`logbench check`."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..api.components import BaseComponent
from ..base.cells import wrapped
from ..base.colours import styled
from ..base.errors import ConfigError
from ..base.options import parse_settings
from ..base.screen import screen_width
from ..components.lone_files import components_in, names_file
from ..components.registry import Registry
from ..components.requirements import lack
from ..testing import check
from ..testing.names import CHECKED, entry_of, kinds_of, names_of
from ..testing.rule import WITHOUT
from ..testing.rules import expectations
from . import State, pass_state
from .apart import apart
from .shared_options import json_option, limit_options, local, note, print_json, state_style
from .tracking import VARIABLE as TRACKED

if TYPE_CHECKING:
    from ..testing import Outcome
    from ..testing.names import Checked

WORDS = {"ok": "ok", "violation": "violated", "advice": "advised", "expected": "violated as expected",
         "skipped": "skipped"}  # fmt: skip


@click.command("check", epilog="Example: logbench check deeplog --set deeplog.steps=5")
@click.argument("names", nargs=-1, metavar="[NAME…]")
@click.option("--all", "every", is_flag=True, help="Check everything that is installed.")
@click.option(
    "--kind",
    type=click.Choice(CHECKED),
    help="Check only this kind.",
)
@click.option("--data", type=click.Path(path_type=Path), help="Raw data of a data set.")
@click.option("--set", "settings", multiple=True, metavar="NAME.KEY=VALUE", help="Set an option of a component.")
@click.option(
    "--expect", "expected", multiple=True, metavar="RULE=WHY",
    help="A rule that is violated on purpose, and why; if it holds, that is a violation.",
)  # fmt: skip
@json_option
@limit_options
@pass_state
@apart
def command(
    state: State, names: tuple[str, ...], every: bool, kind: str | None, data: Path | None,
    settings: tuple[str, ...], expected: tuple[str, ...], as_json: bool,
) -> int:  # fmt: skip
    """Check that what plugins offer keeps its contract. One line a rule; exit 1 if it does not.

    Components, presets, published tables and commands have names of their own; notifications that of their plugin.

    Rules that do not apply, such as saving for models that cannot be saved, are skipped with the reason. Advice
    does not count as a violation.
    """
    os.environ.pop(TRACKED, None)  # runs of a check are none of the user's
    if bool(names) == every:
        raise click.UsageError("give names of what plugins offer, or --all")
    chosen = list(_chosen(state.registry, names, kind))
    found = parse_settings(settings)
    called = {_called(state.registry, one, name) for one, name in chosen}
    for name in found:
        if name not in called:
            raise ConfigError(f"--set {name}.…: {name!r} is not among what is checked")
    if expected and len(chosen) != 1:
        raise ConfigError("--expect is for one component: name it, and its --kind where several have that name")
    if names:
        _check_installed(state.registry, chosen)
    asked = _Asked(state.registry, found, data and local(data), expectations(expected), as_json)
    total: Counter[str] = Counter()
    for one, name in chosen:
        total += _check(asked, one, name)
    counts = (f"{total[status]} {word}" for status, word in WORDS.items() if total[status] or status in _ALWAYS)
    note(f"{len(chosen)} checked: {', '.join(counts)}")
    return int(total["violation"] > 0)


_ALWAYS = ("ok", "violation", "skipped")


@dataclass(frozen=True)
class _Asked:
    registry: Registry
    settings: Mapping[str, Mapping[str, Any]]
    data: Path | None
    expected: Mapping[str, str]
    as_json: bool


def _chosen(registry: Registry, names: tuple[str, ...], kind: str | None) -> Iterator[tuple[Checked, str]]:
    for name in names:
        if names_file(name):
            yield from (pair for pair in components_in(name) if kind in (None, pair[0]))
        else:
            yield from ((one, name) for one in kinds_of(name, registry, kind))
    if not names:
        for one in CHECKED:
            yield from ((one, name) for name in names_of(registry, one) if kind in (None, one))


def _called(registry: Registry, kind: Checked, name: str) -> str:
    """The name as typed; of a component in a file its own."""
    return str(entry_of(registry, kind, name).item.name) if names_file(name) else name


def _check_installed(registry: Registry, chosen: Sequence[tuple[Checked, str]]) -> None:
    for kind, name in chosen:
        entry = entry_of(registry, kind, name)
        if isinstance(entry.item, BaseComponent) and (lacking := lack(entry)):
            raise ConfigError(lacking)


def _check(asked: _Asked, kind: Checked, name: str) -> Counter[str]:
    called = _called(asked.registry, kind, name)
    if not asked.as_json:
        print(f"{kind} {called}, from {entry_of(asked.registry, kind, name).plugin}")
    count: Counter[str] = Counter()
    without = 0
    outcomes = check(
        kind, name, registry=asked.registry, settings=asked.settings.get(called, {}), data=asked.data,
        expected_failures=asked.expected,
    )  # fmt: skip
    for outcome in outcomes:
        count[outcome.status] += 1
        if asked.as_json:
            print_json([{"kind": kind, "name": called, **vars(outcome)}])
        elif outcome.why == WITHOUT:
            without += 1
        else:
            print(_row(outcome.rule, _said(outcome)), flush=True)
    if without:
        print(_row(f"{without} others", f"skipped: {WITHOUT}"))
    return count


def _row(rule: str, said: str) -> str:
    """A rule and its outcome; on a terminal wrapped at words, in a pipe a line, so that it can be searched."""
    lead, width = f"  {rule:<13} ", screen_width() if sys.stdout.isatty() else None
    text = lead + said if width is None else "\n".join(wrapped(said, width, lead, " " * len(lead)))
    word = said.partition(":")[0]
    return lead + (styled(word, style) if (style := state_style(word)) else word) + text[len(lead + word) :]


def _said(outcome: Outcome) -> str:
    found = f"expected {outcome.expected}; actual: {outcome.actual}"
    return {
        "ok": f"ok: {outcome.summary}",
        "violation": f"VIOLATION: {found}",
        "advice": f"advice: {found}",
        "expected": f"violated as expected, {outcome.why}: {found}",
        "skipped": f"skipped: {outcome.why}",
    }[outcome.status]
