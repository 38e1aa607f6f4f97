"""Values of a plugin's command that the shell completes, as it does for the core's."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from .completion import Complete, dataset, preset, setting
from .run_completion import run


class _Word(click.types.StringParamType):
    """A text whose values the shell completes."""

    def __init__(self, complete: Complete) -> None:
        self._complete = complete

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return self._complete(ctx, param, incomplete)


_WORDS = {
    "run": _Word(run),
    "dataset": _Word(dataset),
    "preset": _Word(preset),
    "component.key=value": _Word(setting),
}


def of_plugin(command: click.Command) -> None:
    """Let the shell complete texts of a plugin's command that are said to be what the core's commands take."""
    for parameter in command.params:
        named = parameter.name if parameter.metavar in (None, "NAME") else parameter.metavar
        word = _WORDS.get((named or "").strip("[]….").lower())
        if word is not None and parameter.type is click.STRING:
            parameter.type = word
