"""`logbench options`: list every option for `--set` and TOML files."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import click

from ..base.errors import ConfigError
from ..base.options import fields_of, meant, suggest
from ..components.lone_files import components_in, names_file
from ..components.option_classes import option_classes
from ..components.registry import KINDS, Registry
from . import State, pass_state
from .shared_options import json_option, print_json, print_table


@click.command("options", epilog="Example: logbench options deeplog")
@click.argument("name", required=False)
@json_option
@pass_state
def command(state: State, name: str | None, as_json: bool) -> None:
    """Show options with their default and meaning. Those of a component, `protocol`, `dataset`, or of all."""
    if name is not None and names_file(name):
        names = [state.registry.get(kind, one).item.name for kind, one in components_in(name)]
    else:
        names = [] if name is None else [meant(name, _known(state.registry))]
    rows = [row for row in rows_of(state.registry) if name is None or row["component"] in names]
    if not rows:
        known = _known(state.registry)
        if not known.issuperset(names):
            raise ConfigError(f"no component is called {name!r}{suggest(str(name), known)}")
    if as_json:
        print_json(rows)
    else:
        print_table(
            [
                {"option": f"{r['component']}.{r['option']}", **{k: r[k] for k in ("type", "default", "meaning")}}
                for r in rows
            ],
            f"{name} has no options",
            fold=("type", "default", "meaning"),
            right=(),
        )


def _known(registry: Registry) -> set[str]:
    return {name for kind in KINDS for name in registry.components[kind]} | {"protocol", "dataset"}


def rows_of(registry: Registry) -> Iterator[dict[str, Any]]:
    """One row an option: `component`, `option`, `type`, `default`, `meaning`."""
    for component, config in option_classes(registry).items():
        for name, field in fields_of(config).items():
            default = "required" if field.default is dataclasses.MISSING else field.default
            yield {
                "component": component,
                "option": name,
                "type": _type(config, field),
                "default": str(default),
                "meaning": field.metadata.get("help", ""),
            }


def _type(config: type, field: dataclasses.Field[Any]) -> str:
    return _named(get_type_hints(config)[field.name])


def _named(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return " | ".join(map(str, get_args(hint)))
    if get_origin(hint) in (Union, UnionType):
        return " | ".join("None" if one is NoneType else _named(one) for one in get_args(hint))
    return hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")
