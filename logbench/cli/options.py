"""`logbench options`: list every option for `--set` and TOML files."""

from __future__ import annotations

import click

from ..base.errors import ConfigError
from ..base.options import meant, suggest
from ..components.lone_files import components_in, names_file
from ..components.option_rows import rows_of
from ..components.registry import KINDS, Registry
from . import State, completion, pass_state
from .shared_options import json_option, print_json, print_table


@click.command("options", epilog="Example: logbench options deeplog")
@click.argument("name", shell_complete=completion.model, required=False)
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
