"""`logbench list`."""

from __future__ import annotations

from functools import cache

import click

from ..api.components import Kind
from ..components.registry import KINDS
from ..components.requirements import missing
from . import State, pass_state
from .shared_options import json_option, print_json, print_table


@click.command("list", epilog="Example: logbench list model")
@click.argument("kind", required=False, type=click.Choice(KINDS, case_sensitive=False))
@json_option
@pass_state
def command(state: State, kind: Kind | None, as_json: bool) -> None:
    """List components of one KIND or all. Names combine models: new-event+length.

    A column `needs` names what components require that is not installed.
    """
    lacking = cache(missing)  # many components require the same
    rows: list[dict[str, str]] = [
        {
            "kind": one,
            "name": ", ".join([name, *entry.item.aliases]),
            "needs": ", ".join(lacking(entry.item.requires)),
            "summary": entry.item.summary,
            "from": entry.plugin.distribution,
        }
        for one in ([kind] if kind else KINDS)
        for name, entry in sorted(state.registry.offered(one).items())
    ]
    if as_json:
        print_json(rows)
    else:
        if not any(row["needs"] for row in rows):
            for row in rows:
                del row["needs"]
        print_table(
            rows, "no plugin offers any", fold=("name", "summary"), drop=("from", "kind") if kind else ("from",)
        )
