"""`logbench presets`."""

from __future__ import annotations

import dataclasses

import click

from ..api.protocol import EvaluationProtocol
from ..base.options import make
from . import State, completion, pass_state
from .shared_options import json_option, note, print_json, print_table


@click.command("presets", epilog="Example: logbench presets field-2e")
@click.argument("names", shell_complete=completion.preset, nargs=-1)
@json_option
@pass_state
def command(state: State, names: tuple[str, ...], as_json: bool) -> None:
    """List presets (published set-ups), or show their values. Those of NAMES stand side by side."""
    chosen = [state.registry.preset(name) for name in names] or [e.item for e in state.registry.presets.values()]
    if as_json:
        print_json(dataclasses.asdict(preset) for preset in chosen)
    elif not names:
        print_table(
            [{"preset": p.name, "summary": p.summary, "source": p.source} for p in chosen],
            fold=("summary", "source"),
        )
        note("every value of some, side by side: logbench presets NAME…")
    else:
        values: dict[str, dict[str, str]] = {}
        for preset in chosen:
            protocol = dataclasses.asdict(make(EvaluationProtocol, preset.protocol, "protocol"))
            for component, table in {"protocol": protocol, **preset.components}.items():
                for key, value in table.items():
                    values.setdefault(f"{component}.{key}", {})[preset.name] = str(value)
        rows = [{"option": name, **row} for name, row in values.items()]
        rows.append({"option": "source", **{preset.name: preset.source for preset in chosen}})
        named = [preset.name for preset in chosen]
        print_table(rows, fold=named, drop=named[:1:-1], right=())
