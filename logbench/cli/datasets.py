"""`logbench datasets`."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from ..errors import DataError
from ..registry import Entry
from . import State, pass_state
from .common import json_option, print_json, print_table


@click.group("datasets", epilog="Example: logbench datasets info hdfs")
def command() -> None:
    """List data sets, show their cards, fetch them, find their files."""


@command.command("list", epilog="Example: logbench datasets list")
@json_option
@pass_state
def list_(state: State, as_json: bool) -> None:
    """List data sets: what they are, and how their data are had."""
    rows = [
        {"name": name, "title": entry.item.summary, "data": _origin(entry), "from": entry.plugin.distribution}
        for name, entry in sorted(state.registry.components["dataset"].items())
    ]
    if as_json:
        print_json(rows)
    else:
        print_table(rows)


def _origin(entry: Entry) -> str:
    card = entry.item.card
    if card is not None and card.url:
        return f"fetched, {card.size / 1e6:,.0f} MB"
    return "embedded" if card is not None and card.simulated else "give --data PATH"


@command.command("info", epilog="Example: logbench datasets info hdfs --json")
@click.argument("name")
@json_option
@pass_state
def info(state: State, name: str, as_json: bool) -> None:
    """Show a data set's card: source, licence, citation, labels, known faults, customary protocol."""
    card = state.registry.get("dataset", name).item.card
    facts = {"name": name, **dataclasses.asdict(card)}
    if as_json:
        print_json([facts])
        return
    facts["faults"] = "; ".join(card.faults)
    facts["published"] = ", ".join(f"{value:,} {key}" for key, value in card.published.items())
    rows = [{"field": key, "value": str(value)} for key, value in facts.items() if value not in ("", 0, False)]
    print_table(rows, tablefmt="plain", maxcolwidths=[None, 90], disable_numparse=True)


@command.command("fetch", epilog="Example: logbench datasets fetch hdfs")
@click.argument("name")
@pass_state
def fetch(state: State, name: str) -> None:
    """Fetch (or generate) a data set into the cache and print where it lies."""
    _locate(state, name, None, may_fetch=True)


@command.command("path", epilog="Example: logbench datasets path hdfs")
@click.argument("name")
@pass_state
def path(state: State, name: str) -> None:
    """Print where a data set's files are, without fetching."""
    _locate(state, name, None, may_fetch=False)


def _locate(state: State, name: str, data: Path | None, may_fetch: bool) -> None:
    from ..locate import locate
    from ..plan import Part
    from ..progress import Bars

    entry = state.registry.get("dataset", name)
    part = Part(entry, entry.item.config() if entry.item.config else None)
    with Bars() as bars, bars.stage("fetch") as progress:
        found = locate(part, data, state.registry, progress, may_fetch)
    if found is None:
        raise DataError(f"{name} is not here yet; logbench datasets fetch {name}, or give --data PATH")
    print(found)
