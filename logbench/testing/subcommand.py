"""Rules for commands that plugins add: they can be asked for help, cheaply, and take their own defaults."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click
from click.testing import CliRunner

from .common_rules import HEAVY, is_installed, said_by
from .outcome import InapplicableError, expect
from .rule import Subject, rule


def commands(subject: Subject) -> Iterator[tuple[str, click.Command]]:
    """The command and, of a group, its subcommands; each with the words that call it."""
    return _within(subject.part.name, subject.part.entry.item)


def _within(words: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield words, command
    if isinstance(command, click.Group):
        with click.Context(command) as context:
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                expect(found is not None, f"a command {words} {name}, as it is listed", "none")
                if found is not None:
                    yield from _within(f"{words} {name}", found)


def options(command: click.Command) -> list[click.Option]:
    """Options of a command that its help shows."""
    return [one for one in command.params if isinstance(one, click.Option) and not one.hidden]


@rule("command", "runs", "a click command that prints its usage when asked for --help")
def runs(subject: Subject) -> None:
    item = subject.part.entry.item
    expect(isinstance(item, click.Command), "a click.Command", type(item).__name__)
    for words, command in commands(subject):
        done = CliRunner().invoke(command, ["--help"], prog_name=f"logbench {words}")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        expect(done.exit_code == 0, f"{words} --help to exit with 0", str(done.exit_code))
        expect(f"logbench {words}" in done.output, f"{words} --help to print its usage", repr(done.output[:60]))


@rule("command", "help", "each command and each of its options has help")
def help_of_all(subject: Subject) -> None:
    for words, command in commands(subject):
        expect(bool(command.get_short_help_str().strip()), f"a docstring or help of {words}", "none")
        bare = [one.opts[-1] for one in options(command) if not (one.help or "").strip()]
        expect(not bare, f"help of each option of {words}", f"none for {', '.join(bare)}")


@rule("command", "acts", "each command does something")
def acts(subject: Subject) -> None:
    for words, command in commands(subject):
        if isinstance(command, click.Group):
            with click.Context(command) as context:
                expect(bool(command.list_commands(context)), f"commands in the group {words}", "none")
        else:
            expect(command.callback is not None, f"a function that {words} calls", "none")


@rule("command", "defaults", "each option takes its own default")
def defaults(subject: Subject) -> None:
    for words, command in commands(subject):
        with click.Context(command) as context:
            for one in options(command):
                default = one.to_info_dict()["default"]  # None where there is none
                if default is None or callable(default):
                    continue
                try:
                    one.type_cast_value(context, default)
                except click.BadParameter as error:
                    expect(False, f"a default that {one.opts[-1]} of {words} takes", error.message)


@rule("command", "light", "--help imports nothing heavy, so that it answers at once")
def light(subject: Subject) -> None:
    plugin = subject.part.entry.plugin
    if not is_installed(subject):
        raise InapplicableError("its plugin is not installed")
    code = (
        "import json, sys\nfrom logbench.components.registry import Registry, installed\n"
        f"found = [one for one in installed() if one.key == {plugin.key!r}]\n"
        f"command = Registry(plugins=found).commands[{subject.part.name!r}].item\nbefore = set(sys.modules)\n"
        "command.main(['--help'], standalone_mode=False)\n"
        f"print('\\n' + json.dumps([m for m in {HEAVY!r} if m in sys.modules.keys() - before]))"
    )
    heavy = json.loads(said_by(code))
    expect(not heavy, "heavy packages to be imported where they are used", f"it imports {', '.join(heavy)}")
