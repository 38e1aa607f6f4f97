"""`logbench parsers`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ..base.errors import ConfigError
from ..base.options import parse_settings
from ..components.configured import configured
from . import State, completion, pass_state
from .apart import apart
from .shared_options import json_option, local, memory_option, note, print_json, print_table

FIGURES = {"GA": "grouping", "FGA": "grouping_f1", "FTA": "template_f1", "PA": "parsing"}


@click.group("parsers", epilog="Example: logbench parsers evaluate drain --data loghub_2k")
def command() -> None:
    """Measure the accuracy of parsers on labelled templates."""


@command.command(
    "evaluate", epilog="Example: logbench parsers evaluate drain --data loghub_2k --set drain.depth=5"
)
@click.argument("names", shell_complete=completion.parser, nargs=-1, metavar="[PARSER]…")
@click.option("--data", type=click.Path(path_type=Path), required=True,
              help="Folder with NAME/NAME_2k.log_structured.csv, as in Loghub, or one such file.")  # fmt: skip
@click.option(
    "--set",
    "settings",
    multiple=True,
    shell_complete=completion.setting,
    metavar="PARSER.KEY=VALUE",
    help="Set an option of a parser.",
)
@memory_option
@json_option
@pass_state
@apart
def evaluate(state: State, names: tuple[str, ...], data: Path, settings: tuple[str, ...], as_json: bool) -> None:
    """Compare each parser's templates with the true ones.

    Fits each PARSER (by default all) on every system.

    GA is grouping accuracy, FGA and FTA are the F1 of groups and of templates, PA is parsing accuracy. The
    comparison ignores names of variables, repeated wildcards and white space.
    """
    from ..evaluation.parser_accuracy import accuracy, labelled, mean, parsed

    given = parse_settings(settings)
    entries = [state.registry.get("parser", name) for name in names or state.registry.components["parser"]]
    if strange := set(given) - {entry.item.name for entry in entries}:
        raise ConfigError(f"--set {min(strange)}: no parser of that name is evaluated")
    rows: list[dict[str, Any]] = []
    systems = labelled(local(data))
    for entry in entries:
        part = configured(entry, given.get(entry.item.name))
        for system in systems:
            found = accuracy(system.frame, parsed(part.build(), system.frame["message"]))
            rows.append({"parser": part.name, "system": system.name, **asdict(found)})
            if as_json:
                print_json(rows[-1:])
    if as_json:
        return
    for entry in entries:
        own = [row for row in rows if row["parser"] == entry.item.name]
        shown = [_shown(row) for row in own]
        print(f"{entry.item.name}: {entry.item.summary}\n")
        print_table([*shown, {"system": "mean", **{k: mean(own)[v] for k, v in FIGURES.items()}}],
                    drop=("true", "templates"))  # fmt: skip
        print()
    note("GA: messages in exact groups; FGA, FTA: F1 of groups, of templates; PA: messages with the true template")


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "system": row["system"],
        **{name: row[field] for name, field in FIGURES.items()},
        "templates": row["found"],
        "true": row["true"],
    }
