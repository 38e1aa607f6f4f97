"""`logbench plugins`."""

from __future__ import annotations

import click

from . import State, pass_state
from .shared_options import json_option, print_json, print_table


@click.command("plugins", epilog="Example: logbench --block deeplog plugins")
@json_option
@pass_state
def command(state: State, as_json: bool) -> None:
    """List plugins with their hooks, and broken ones. Also distribution, version and error."""
    rows = [
        {
            "plugin": plugin.name,
            "distribution": plugin.distribution,
            "version": plugin.version,
            "hooks": ", ".join(hook.removeprefix("logbench_") for hook in plugin.hooks),
            "status": plugin.error or "ok",
        }
        for plugin in state.registry.plugins
    ]
    if as_json:
        print_json(rows)
    else:
        print_table(
            rows, "no plugin is installed", fold=("hooks", "status"), drop=("version", "distribution"), right=()
        )
