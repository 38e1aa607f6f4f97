"""`logbench man`: manual pages, one a command."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from ..base.escapes import printable
from ..base.files import written
from ..base.jsonable import several
from . import State, pass_state, version
from .shared_options import note

EXIT = "0: it went well. 1: a bug, or a comparison that came out worse. 2: what was asked cannot be done."


@click.command("man", epilog="Example: logbench man --out ~/.local/share/man/man1")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the pages; by default share/man/man1 beside the folder of the program, where man looks.",
)  # fmt: skip
@click.pass_context
@pass_state
def command(state: State, ctx: click.Context, out: Path | None) -> None:
    """Write manual pages, one a command. Commands of plugins have theirs, too."""
    folder = Path(sys.prefix, "share", "man", "man1") if out is None else out
    top = ctx.find_root()
    pages = {context.command_path.replace(" ", "-"): page(context) for context in contexts(top.command, top)}
    with written(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in pages.items():
            (folder / f"{name}.1").write_text(text, encoding="utf-8")
    note(f"{several(len(pages), 'page')} in {folder}; try: man logbench-run")


def contexts(command: click.Command, context: click.Context) -> Iterator[click.Context]:
    """The context of a command and of all below it, groups before their members."""
    yield context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            member = command.get_command(context, name)
            if member is not None and not member.hidden:
                below = click.Context(member, info_name=name, parent=context, obj=context.obj)
                yield from contexts(member, below)


def page(context: click.Context) -> str:
    """The page of a command in the macros of man(7)."""
    command, path = context.command, context.command_path
    name = path.replace(" ", "-")
    summary = command.get_short_help_str(200).rstrip(".")
    lines = [
        f'.TH "{roff(name.upper())}" "1" "" "logbench {roff(version())}" "logbench manual"',
        ".SH NAME",
        f"{roff(name)} \\- {roff(summary)}",
        ".SH SYNOPSIS",
        f".B {roff(path)}",
        roff(" ".join(command.collect_usage_pieces(context))),
        ".SH DESCRIPTION",
        *_prose(command.help or ""),
        *_options(context),
    ]
    if isinstance(command, click.Group):
        lines += [".SH COMMANDS", *_members(command, context)]
    if command.epilog:
        lines += [".SH EXAMPLE", ".nf", roff(command.epilog.removeprefix("Example: ")), ".fi"]
    lines += [".SH EXIT STATUS", roff(EXIT)]
    if context.parent is not None:
        lines += [".SH SEE ALSO", f".BR {roff(context.parent.command_path.replace(' ', '-'))} (1)"]
    return "\n".join(lines) + "\n"


def roff(text: str) -> str:
    """A text as roff shows it, in ASCII; what stands between backquotes is bold."""
    shown = printable(" ".join(text.split())).replace("\\", "\\e").replace("-", "\\-")
    shown = shown.replace('"', "\\(dq")
    shown = re.sub(r"[^\x00-\x7f]", lambda found: f"\\[u{ord(found[0]):04X}]", shown)
    shown = re.sub(r"`([^`]*)`", r"\\fB\1\\fR", shown)
    return f"\\&{shown}" if shown.startswith((".", "'")) else shown


def _prose(text: str) -> Iterator[str]:
    for at, paragraph in enumerate(text.replace("\b", "").split("\n\n")):
        if at:
            yield ".PP"
        yield roff(paragraph)


def _options(context: click.Context) -> Iterator[str]:
    records = [record for one in context.command.get_params(context) if (record := one.get_help_record(context))]
    if records:
        yield ".SH OPTIONS"
    yield from _terms(records)


def _members(group: click.Group, context: click.Context) -> Iterator[str]:
    found = ((name, group.get_command(context, name)) for name in group.list_commands(context))
    yield from _terms([(name, one.get_short_help_str(200)) for name, one in found if one and not one.hidden])


def _terms(pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    for term, meaning in pairs:
        if meaning:
            yield from (".TP", f"\\fB{roff(term)}\\fR", roff(meaning))
