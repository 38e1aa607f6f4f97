"""`--track`: turn on plugins that hand runs to an experiment tracker."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from ..base.errors import ConfigError
from ..base.options import suggest
from ..components.requirements import lack_of_plugin
from . import State, completion

# Names of plugins, separated by commas: what `--track` sets, and what such plugins ask.
VARIABLE = "LOGBENCH_TRACK"
HOOK = "logbench_run_finished"


def _turn_on(ctx: click.Context, parameter: click.Parameter, names: Sequence[str]) -> None:
    if not names:
        return
    state = ctx.find_object(State)
    assert state is not None, "the group of all commands makes it"
    told = {plugin.name: plugin for plugin in state.registry.plugins if HOOK in plugin.hooks and not plugin.error}
    for name in names:
        if name not in told:
            raise ConfigError(f"--track {name}: no plugin of this name takes runs{suggest(name, told)}")
        if lacking := lack_of_plugin(told[name]):
            raise ConfigError(f"--track {lacking}")
    os.environ[VARIABLE] = ",".join(dict.fromkeys(names))  # processes of this command read it, too


track_option = click.option(
    "--track", multiple=True, expose_value=False, callback=_turn_on, shell_complete=completion.tracker,
    metavar="PLUGIN",
    help="Hand each run to a plugin that waits to be named, such as an experiment tracker (repeatable).",
)  # fmt: skip
