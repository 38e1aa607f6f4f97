"""`logbench schema`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from . import State, pass_state
from .shared_options import say_json

WHAT = ("record", "bundle", "toml", "own-log", "suite", "config")


@click.command("schema", epilog="Example: logbench schema record > record.schema.json")
@click.argument("what", type=click.Choice(WHAT), metavar="WHAT")
@pass_state
def command(state: State, what: str) -> None:
    """Print the JSON Schema (draft 2020-12) of WHAT.

    WHAT is `record` (a line of records.jsonl), `bundle` (the bundle.json of a saved model), or a TOML file:
    `own-log` (for `datasets add`), `suite` (for `bench`), `config` (for `--config`, with the options of the
    installed plugins), or `toml` for any of these three.
    """
    from ..studies import schemas

    makers: dict[str, Callable[[], dict[str, Any]]] = {
        "record": schemas.record_schema,
        "bundle": schemas.bundle_schema,
        "toml": lambda: schemas.toml_schema(state.registry),
        "own-log": lambda: schemas.own_log_schema(state.registry),
        "suite": schemas.suite_schema,
        "config": lambda: schemas.config_schema(state.registry),
    }
    say_json(makers[what](), indent=1)
