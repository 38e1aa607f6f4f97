"""`logbench datasets`."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..api.plan import Plan
from ..base.errors import ConfigError, DataError
from ..base.options import parse_settings
from ..base.progress_bars import Bars
from ..components.configured import configured
from ..components.entry import RegisteredComponent
from ..running.locate import locate
from ..running.resolve import dataset_called, resolve
from . import State, completion, pass_state
from .apart import apart
from .datasets_info import count_rows, print_facts, print_splits
from .detect import guessed
from .shared_options import (
    json_option,
    memory_option,
    note,
    parser_option,
    print_json,
    print_table,
    set_option,
    windower_option,
)

if TYPE_CHECKING:
    from ..api.contracts import Definitions


@click.group("datasets", epilog="Example: logbench datasets info hdfs")
def command() -> None:
    """List, show, fetch and add data sets."""


@command.command("list", epilog="Example: logbench datasets list")
@json_option
@pass_state
def list_(state: State, as_json: bool) -> None:
    """List data sets with their titles and origins."""
    rows = [
        {"name": name, "title": entry.item.summary, "data": _origin(entry), "from": entry.plugin.distribution}
        for name, entry in sorted(state.registry.components["dataset"].items())
    ]
    if as_json:
        print_json(rows)
    else:
        print_table(rows, fold=("title", "data"), drop=("from",))


def _origin(entry: RegisteredComponent[Any]) -> str:
    card = entry.item.card
    if card is not None and card.url:
        return f"fetched, {card.size / 1e6:,.0f} MB"
    if hasattr(entry.item.build, "home"):  # a class that says where its files are: see `HasHome`
        return "at hand"
    return "embedded" if card is not None and card.simulated else "give --data PATH"


@command.command("info", epilog="Example: logbench datasets info hdfs --json")
@click.argument("name", shell_complete=completion.dataset)
@click.option("--data", type=click.Path(path_type=Path), help="File or folder with the raw data.")
@parser_option
@windower_option
@set_option
@click.option("--card", "card_only", is_flag=True, help="Show only the card; read no data.")
@memory_option
@json_option
@pass_state
@apart
def info(state: State, name: str, data: Path | None, card_only: bool, as_json: bool, **options: Any) -> None:
    """Show a data set's card, and facts about its data. If the data are available.

    Card: source, licence, citation, labels, known faults, customary protocol. Data: counts, lengths, and for each
    kind of split unseen keys and drift.
    """
    card = dataset_called(name, state.registry).item.card
    facts = {"name": name, **dataclasses.asdict(card)}
    realised = None if card_only else _realised(state, name, data, options)
    if as_json:
        print_json([{**facts, "realised": realised}])
        return
    facts["faults"] = "; ".join(card.faults)
    facts["cite"] = "; ".join(f"https://doi.org/{work.doi}" if work.doi else work.url for work in card.cite)
    facts["published"] = ", ".join(f"{value:,} {key}" for key, value in card.published.items())
    rows = [{"field": key, "value": str(value)} for key, value in facts.items() if value not in ("", 0, False, {})]
    rows += count_rows(realised) if realised is not None else []
    print_facts(rows)
    if realised is not None:
        print()
        print_splits(realised)
    elif not card_only:
        ways = ["give --data PATH", *([f"logbench datasets fetch {name}"] if card.url or card.simulated else [])]
        note(f"to see facts about the data, {', or '.join(ways)}")


def _realised(state: State, name: str, data: Path | None, options: dict[str, Any]) -> dict[str, Any] | None:
    """Facts about the data; None if they are not available."""
    from ..studies.dataset_facts import describe

    if data is None:
        with contextlib.suppress(DataError):
            data = _find(state, name, may_fetch=False)
    if data is None:
        return None
    options["settings"] = parse_settings(options["settings"])
    with Bars() as bars:
        return describe(name, state.registry, bars, data=data, **options)


@command.command("add", epilog="Example: logbench datasets add my.toml")
@click.argument("definition", required=False, type=click.Path(path_type=Path))
@click.option("--name", help="Name of the data set; by default that of the file.")
@click.option("--example", is_flag=True, help="Print a definition that explains every key; add nothing.")
@json_option
@pass_state
def add(state: State, definition: Path | None, name: str | None, example: bool, as_json: bool) -> None:
    """Add your own logs as a data set, by a TOML file. It says where they are and how to read them."""
    if example:
        print(_definitions(state).example())
        return
    if definition is None:
        raise click.UsageError("give a TOML file; one to start from: logbench datasets add --example > my.toml")
    name = definition.stem if name is None else name
    definitions = _definitions(state, definition)
    resolve(Plan(model=next(iter(state.registry.components["model"])), dataset=str(definition)), state.registry)
    _say_path(name, definitions.add(definition, name, state.registry.components["dataset"]), as_json)
    note(f"added; next: logbench run MODEL --dataset {name}")


@command.command("guess", epilog="Example: logbench datasets guess /var/log/nginx > nginx.toml")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH…")
@pass_state
@apart
def guess(state: State, paths: tuple[Path, ...]) -> None:
    """Print the definition that fits log files best. Its comments are the reasons."""
    text, _ = guessed(state, paths)
    print(text, end="")
    note("next: save it as my.toml, and look at it: logbench datasets check my.toml")


@command.command("remove", epilog="Example: logbench datasets remove my")
@click.argument("name", shell_complete=completion.dataset)
@json_option
@pass_state
def remove(state: State, name: str, as_json: bool) -> None:
    """Remove an added definition; the logs stay."""
    refused: ConfigError | None = None
    for definitions in _readers(state):
        try:
            _say_path(name, definitions.remove(name), as_json)
            return
        except ConfigError as error:
            refused = refused or error
    assert refused is not None
    raise refused


def _readers(state: State) -> list[Definitions]:
    """What reads definitions of data sets, one at least.

    Raises:
        ConfigError: no plugin does, as where it is blocked.
    """
    if not state.registry.definitions:
        raise ConfigError("no plugin that is installed reads definitions of data sets (see: logbench plugins)")
    return [definitions for _, definitions in state.registry.definitions]


def _definitions(state: State, path: Path | None = None) -> Definitions:
    """What reads the definition `path`, by its suffix; the first of all where none is given.

    Raises:
        ConfigError: none does.
    """
    readers = _readers(state)
    for definitions in readers:
        if path is None or path.name.endswith(definitions.suffix):
            return definitions
    suffixes = " or ".join(definitions.suffix for definitions in readers)
    raise ConfigError(f"{path}: a definition's name must end in {suffixes}")


@command.command("check", epilog="Example: logbench datasets check my.toml")
@click.argument("definition")
@click.option("--data", type=click.Path(path_type=Path), help="Log file or folder instead of the definition's.")
@memory_option
@json_option
@pass_state
@apart
def check(state: State, definition: str, data: Path | None, as_json: bool) -> None:
    """Show how logbench reads your own logs. Ten lines, unmatched lines, sessions, labels, splits.

    DEFINITION is a TOML file, or the name of an added one.
    """
    from .datasets_check import show

    show(state, definition, data, as_json)


@command.command("fetch", epilog="Example: logbench datasets fetch hdfs")
@click.argument("name", shell_complete=completion.dataset)
@memory_option
@json_option
@pass_state
@apart
def fetch(state: State, name: str, as_json: bool) -> None:
    """Fetch or generate a data set and print its path. It goes into the cache."""
    _locate(state, name, as_json, may_fetch=True)


@command.command("path", epilog="Example: logbench datasets path hdfs")
@click.argument("name", shell_complete=completion.dataset)
@json_option
@pass_state
@apart
def path(state: State, name: str, as_json: bool) -> None:
    """Print the path of a data set's files, without fetching."""
    _locate(state, name, as_json, may_fetch=False)


def _find(state: State, name: str, may_fetch: bool) -> Path | None:
    part = configured(dataset_called(name, state.registry))
    with Bars() as bars, bars.stage("fetch") as progress:
        found = locate(part, None, state.registry, progress, may_fetch=may_fetch, note=note)
        return None if found is None else found.path


def _locate(state: State, name: str, as_json: bool, may_fetch: bool) -> None:
    found = _find(state, name, may_fetch)
    if found is None:
        raise DataError(f"{name} is not here yet; logbench datasets fetch {name}, or give --data PATH")
    _say_path(name, found, as_json)


def _say_path(name: str, path: Path, as_json: bool) -> None:
    if as_json:
        print_json([{"name": name, "path": path}])
    else:
        print(path)
