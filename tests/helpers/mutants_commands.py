"""Wrong commands: what each does wrong, the rule that finds it, and how it is made."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click


def act(**options: Any) -> None:
    """Do nothing."""


def command(*params: click.Parameter, **more: Any) -> click.Command:
    return click.Command("mine", params=list(params), **{"callback": act, "help": "Does something.", **more})


def group(*inside: click.Command) -> click.Group:
    return click.Group("mine", commands=list(inside), help="Some commands.")


def leave(context: click.Context, param: click.Parameter, value: Any) -> None:
    sys.exit(3)


class NoClick:
    """Callable and named, but no click command."""

    name = "mine"

    def __call__(self) -> None: ...


class Breaks(click.Command):
    """Cannot give help."""

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        raise RuntimeError("no help")


class Lost(click.Group):
    """Lists a command that it does not have."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return ["gone"]


def option(*names: str, **more: Any) -> click.Option:
    return click.Option(list(names), **{"help": "Something.", **more})


COMMANDS: dict[str, tuple[str, Callable[[], Any]]] = {
    "is no click command": ("runs", NoClick),
    "raises where it is asked for help": ("runs", lambda: Breaks("mine", callback=act)),
    "has no option --help": ("runs", lambda: command(add_help_option=False)),
    "ends otherwise when asked for help": (
        "runs",
        lambda: command(option("--help", is_flag=True, is_eager=True, callback=leave), add_help_option=False),
    ),
    "lists a command that is not there": ("runs", lambda: Lost("mine", help="Some commands.")),
    "has no help": ("help", lambda: command(help=None)),
    "has an option without help": ("help", lambda: command(option("--size", help=None))),
    "has a subcommand without help": ("help", lambda: group(click.Command("sub", callback=act))),
    "does nothing": ("acts", lambda: command(callback=None)),
    "has no commands within": ("acts", group),
    "has a default that it refuses": ("defaults", lambda: command(option("--size", type=int, default="many"))),
    "has a default out of bounds": (
        "defaults",
        lambda: group(command(option("--size", type=click.IntRange(1, 5), default=9))),
    ),
}
