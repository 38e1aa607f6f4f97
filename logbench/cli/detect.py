"""`logbench detect`."""

from __future__ import annotations

import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..api.optional import Guesses
from ..base.errors import ConfigError, DataError
from ..base.jsonable import four_digits, several, shorten
from ..base.options import parse_settings
from ..base.progress_bars import Bars
from ..running import looks
from . import State, pass_state
from .apart import apart
from .shared_options import NARROW, first_line, json_option, local, note, placed, print_json

if TYPE_CHECKING:
    from ..studies.detect import Detection


@click.command("detect", epilog="Example: logbench detect /var/log/syslog")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="PATH…")
@click.option("--dataset", metavar="NAME", help="A data set or definition in place of guessing one.")
@click.option("--top", type=click.IntRange(min=1), default=10, show_default=True, help="How many units to show.")
@click.option("--windower", metavar="NAME", help="Windower; by default as guessed or defined.")
@click.option("--set", "settings", multiple=True, metavar="COMPONENT.KEY=VALUE", help="Set an option.")
@click.option("--save-definition", type=click.Path(path_type=Path), metavar="FILE",
              help="Write what was guessed as a commented TOML file.")  # fmt: skip
@json_option
@pass_state
@apart
def command(
    state: State,
    paths: tuple[Path, ...],
    dataset: str | None,
    top: int,
    windower: str | None,
    settings: tuple[str, ...],
    save_definition: Path | None,
    as_json: bool,
) -> None:
    """Find what is unusual in logs: from a path to ranked units with their lines.

    Guesses the format, what a unit is (sessions by an id, else windows), and what makes a key. Each unit is
    compared with all others but those near it. No labels are needed, nothing is trained for later.
    """
    from ..studies.detect import detect

    if bool(paths) == bool(dataset) and len(paths) != 1:
        raise click.UsageError("give log files or folders, or --dataset NAME and at most one path")
    options: dict[str, Any] = {
        "settings": parse_settings(settings),
        **({"windower": windower} if windower else {}),
    }
    if dataset is not None:
        if save_definition is not None:
            raise click.UsageError("--save-definition writes a guess; --dataset is defined already")
        with Bars() as bars, bars.stage("detect") as progress:
            found = detect(dataset, state.registry, progress, top, next(iter(paths), None), **options)
    else:
        if save_definition is not None and save_definition.exists():
            raise DataError(f"--save-definition {save_definition}: already exists; choose another name")
        text, said = guessed(state, tuple(map(local, paths)))
        with tempfile.TemporaryDirectory() as folder, Bars() as bars, bars.stage("detect") as progress:
            file = Path(folder) / "guess.toml"
            file.write_text(text, encoding="utf-8")
            found = detect(str(file), state.registry, progress, top, **options)
        for line in said:
            note(f"assumed: {line}")
        if save_definition is not None:
            save_definition.write_text(text, encoding="utf-8")
    for line in found.notes:
        note(line)
    if as_json:
        print_json({"unit": row["unit"], **row} for row in found.rows)
    else:
        show(found)
    looks.keep("detect", found.look)
    saved = save_definition or dataset
    if saved:
        note(f"next, for alarms on new lines: logbench run markov --dataset {saved} --save mymodel")
    else:
        note("next: correct and keep what was guessed, --save-definition my.toml")


def guessed(state: State, paths: tuple[Path, ...]) -> tuple[str, list[str]]:
    """The text of the definition that fits files, and what it assumes.

    Raises:
        DataError: they cannot be read. ConfigError: no plugin guesses.
    """

    for _, definitions in state.registry.definitions:
        if isinstance(definitions, Guesses):
            found = definitions.guess(paths)
            return found.text, list(found.said)
    raise ConfigError("no plugin that is installed guesses definitions (see: logbench plugins)")


def show(found: Detection) -> None:
    """Print the units, each with its reasons and lines."""
    print(
        f"{several(found.facts['events'], 'event')} in {several(found.units, found.unit)}; the most surprising, "
        "each against the others:"
    )
    if not found.rows:
        print(f"no {found.unit} stands out")
    for number, row in enumerate(found.rows, 1):
        about = f"  surprise {four_digits(row['score'])}, {several(row['events'], 'event')}"
        print(f"\n{number:>2}  {shorten(row['unit'], NARROW - 4 - len(about))}{about}")
        for why in row["why"]:
            print(f"    {shorten(why, NARROW - 4)}")
        for line in row["lines"]:
            place = placed(line["file"], line["line"])
            print(f"    {place}: {shorten(first_line(line['text']), NARROW - 6 - len(place))}")
    if found.rows:
        note(f"all lines of a {found.unit}: logbench show {shlex.quote(found.rows[0]['unit'])}")
