"""`logbench check`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from ..config import parse_settings
from ..errors import ConfigError
from ..interfaces import Kind
from ..registry import KINDS, Registry
from . import State, pass_state
from .common import json_option, note, print_json


@click.command("check", epilog="Example: logbench check deeplog --set deeplog.steps=5")
@click.argument("names", nargs=-1, metavar="[NAME…]")
@click.option("--all", "every", is_flag=True, help="Check every installed component.")
@click.option("--kind", type=click.Choice(KINDS), help="Only the component of this kind, or all of it with --all.")
@click.option("--data", type=click.Path(path_type=Path), help="Raw data of a data set.")
@click.option("--set", "settings", multiple=True, metavar="NAME.KEY=VALUE", help="Set an option of a component.")
@json_option
@pass_state
def command(
    state: State, names: tuple[str, ...], every: bool, kind: str | None, data: Path | None,
    settings: tuple[str, ...], as_json: bool,
) -> int:  # fmt: skip
    """Check that components keep their contract, one line a rule. Exit 1 where one does not.

    A rule that does not apply, such as one on saving where a model cannot be saved, is skipped with the reason.
    """
    if bool(names) == every:
        raise click.UsageError("give the names of components, or --all")
    chosen = list(_chosen(state.registry, names, kind))
    found = parse_settings(settings)
    for name in found:
        if name not in {one for _, one in chosen}:
            raise ConfigError(f"--set {name}.…: {name!r} is not among what is checked")
    total: Counter[str] = Counter()
    for one, name in chosen:
        total += _check(state.registry, one, name, found.get(name, {}), data, as_json)
    words = {"ok": "ok", "violation": "violated", "skipped": "skipped"}
    note(f"{len(chosen)} checked: " + ", ".join(f"{total[status]} {word}" for status, word in words.items()))
    return int(total["violation"] > 0)


def _chosen(registry: Registry, names: tuple[str, ...], kind: str | None) -> Iterator[tuple[Kind, str]]:
    from ..testing import kinds_of

    for name in names:
        yield from ((one, name) for one in kinds_of(name, registry, kind))
    if not names:
        for one in KINDS:
            yield from ((one, name) for name in registry.components[one] if kind in (None, one))


def _check(
    registry: Registry, kind: Kind, name: str, settings: dict[str, str], data: Path | None, as_json: bool
) -> Counter[str]:
    from ..testing import check
    from ..testing.rules import WITHOUT

    entry = registry.get(kind, name)
    if not as_json:
        print(f"{kind} {name}, from {entry.plugin}")
    count: Counter[str] = Counter()
    without = 0
    for outcome in check(kind, name, registry=registry, settings=settings, data=data):
        count[outcome.status] += 1
        if as_json:
            row: dict[str, Any] = {"kind": kind, "name": name, **vars(outcome)}
            print_json([row])
        elif outcome.why == WITHOUT:
            without += 1
        else:
            said = {
                "ok": f"ok: {outcome.summary}",
                "violation": f"VIOLATION: expected {outcome.expected}; came {outcome.came}",
                "skipped": f"skipped: {outcome.why}",
            }
            print(f"  {outcome.rule:<13} {said[outcome.status]}", flush=True)
    if without:
        print(f"  {f'{without} others':<13} skipped: {WITHOUT}")
    return count
