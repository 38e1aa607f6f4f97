"""`logbench detect`."""

from __future__ import annotations

import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..api.optional_data_sets import Guesses
from ..base.cells import columns_of
from ..base.errors import ConfigError
from ..base.files import check_free
from ..base.jsonable import four_digits, several, shorten
from ..base.options import parse_settings
from ..base.progress_bars import Bars
from ..deploy.incidents import Incidents
from ..running import looks
from . import State, completion, pass_state
from .alarm_options import rate_of, rate_options, with_options
from .alarm_output import print_incidents
from .apart import apart
from .shared_options import (
    NARROW,
    first_line,
    json_option,
    local,
    note,
    overwrite_option,
    placed,
    print_json,
    set_option,
)

if TYPE_CHECKING:
    from ..studies.detect import Detection


@click.command("detect", epilog="Example: logbench detect /var/log/syslog")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="PATH…")
@click.option(
    "--dataset",
    shell_complete=completion.dataset,
    metavar="NAME",
    help="A data set or definition in place of guessing one.",
)
@click.option("--top", type=click.IntRange(min=1), default=10, show_default=True, help="How many units to show.")
@click.option("--model", shell_complete=completion.model, metavar="NAME",
              help="Rank by this model, fitted on the other four fifths of the log in turn.")  # fmt: skip
@with_options(rate_options)
@click.option(
    "--windower",
    shell_complete=completion.windower,
    metavar="NAME",
    help="Windower; by default as guessed or defined.",
)
@set_option
@click.option("--save-definition", type=click.Path(path_type=Path), metavar="FILE",
              help="Write what was guessed as a commented TOML file.")  # fmt: skip
@overwrite_option
@json_option
@pass_state
@apart
def command(
    state: State,
    paths: tuple[Path, ...],
    dataset: str | None,
    top: int,
    model: str | None,
    windower: str | None,
    settings: tuple[str, ...],
    save_definition: Path | None,
    overwrite: bool,
    as_json: bool,
    **alarms: Any,
) -> None:
    """Find what is unusual in logs, without labels. From a path to ranked units with their lines.

    Guesses the format, what a unit is (sessions by an id, else windows), and what makes a key. Each unit is
    compared with all others but those near it. No labels are needed, nothing is trained for later. With
    --threshold, --rate (a share of the units) or --budget it shows all units above that threshold.
    """
    if bool(paths) == bool(dataset) and len(paths) != 1:
        raise click.UsageError("give log files or folders, or --dataset NAME and at most one path")
    if save_definition is not None:
        check_free("--save-definition", save_definition, overwrite)
    asked = rate_of(alarms["threshold"], alarms["rate"], alarms["budget"])
    options: dict[str, Any] = {
        "asked": asked if asked.asked else None,
        "model": model,
        "settings": parse_settings(settings),
        **({"windower": windower} if windower else {}),
    }
    found = _detected(state, paths, dataset, save_definition, top, options)
    for line in (*found.notes, *(found.threshold.said if found.threshold else ())):
        note(line)
    if alarms["incidents"]:
        show_incidents(found, alarms["incident_gap"], as_json, top)
    elif as_json:
        print_json({**row, "time": row["time"] and row["time"].isoformat()} for row in found.rows)
    else:
        show(found, top, model)
    looks.keep("detect", found.look)
    saved = save_definition or dataset
    if saved:
        note(f"next, for alarms on new lines: logbench run {model or 'markov'} --dataset {saved} --save mymodel")
    else:
        note("next: correct and keep what was guessed, --save-definition my.toml")


def _detected(
    state: State,
    paths: tuple[Path, ...],
    dataset: str | None,
    save_definition: Path | None,
    top: int,
    options: dict[str, Any],
) -> Detection:
    """What is found, by a data set's definition or by a guess, which is said and kept."""
    from ..studies.detect import detect

    if dataset is not None:
        if save_definition is not None:
            raise click.UsageError("--save-definition writes a guess; --dataset is defined already")
        with Bars() as bars, bars.stage("detect") as progress:
            return detect(dataset, state.registry, progress, top, next(iter(paths), None), **options)
    text, said = guessed(state, tuple(map(local, paths)))
    with tempfile.TemporaryDirectory() as folder, Bars() as bars, bars.stage("detect") as progress:
        file = Path(folder) / "guess.toml"
        file.write_text(text, encoding="utf-8")
        found = detect(str(file), state.registry, progress, top, **options)
    for line in said:
        note(f"assumed: {line}")
    if save_definition is not None:
        save_definition.write_text(text, encoding="utf-8")
    return found


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


def show(found: Detection, top: int, model: str | None) -> None:
    """Print the units, each with its reasons and lines."""
    how = "the most surprising, each against the others" if model is None else f"ranked by {model}"
    if found.threshold is not None:
        number = several(len(found.rows), found.unit)
        how += f"; {number} above {four_digits(found.threshold.value)}"
    print(f"{several(found.facts['events'], 'event')} in {several(found.units, found.unit)}; {how}:")
    if not found.rows:
        print(f"no {found.unit} stands out")
    name = "surprise" if model is None else "score"
    for place, row in enumerate(found.rows[:top], 1):
        about = f"  {name} {four_digits(row['score'])}, {several(row['events'], 'event')}"
        print(f"\n{place:>2}  {shorten(row['unit'], NARROW - 4 - len(about))}{about}")
        for why in row["why"]:
            print(f"    {shorten(why, NARROW - 4)}")
        for line in row["lines"]:
            where = placed(line["file"], line["line"])
            print(f"    {where}: {shorten(first_line(line['text']), NARROW - 6 - columns_of(where))}")
    if (more := len(found.rows) - top) > 0:
        note(f"{several(more, f'more {found.unit}')} above the threshold: --top {len(found.rows)}")
    if found.rows:
        note(f"all lines of a {found.unit}: logbench show {shlex.quote(found.rows[0]['unit'])}")


def show_incidents(found: Detection, gap: float, as_json: bool, top: int) -> None:
    """Print incidents of the units: of those above the threshold, or of the first ones."""
    from ..deploy.alarms import finite, seconds_of

    incidents, alarms = Incidents(gap), []
    for row in sorted(found.rows, key=lambda row: seconds_of(row["time"]) or 0.0):
        incidents.add(row["unit"], seconds_of(row["time"]), row["template"], row["node"])
        line, time = row["lines"][0], row["time"]
        alarms.append(
            {
                **{name: row[name] for name in ("unit", "node", "template")},
                **{name: line[name] for name in ("file", "line", "text")},
                "id": row["unit"],
                "score": finite(row["score"]),
                "time": None if time is None else time.isoformat(),
            }
        )
    print_incidents(alarms, incidents, as_json, top)
    if found.threshold is None:
        note(
            f"of the first {several(len(found.rows), found.unit)}; --rate, --budget or --threshold say of how many"
        )
