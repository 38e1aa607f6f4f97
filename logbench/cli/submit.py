"""`logbench submit`."""

from __future__ import annotations

from pathlib import Path

import click

from ..base.files import check_free, written
from ..base.jsonable import several
from ..base.options import parse_settings
from ..components.configured import configured
from ..studies.submit import pack
from . import State, completion, pass_state
from .apart import apart
from .shared_options import overwrite_option, say, set_option


@click.command("submit", epilog="Example: logbench submit ./mine.py --out mine.submission")
@click.argument("model", shell_complete=completion.model)
@set_option
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False),
              help="File to write; by default the model's name with .submission.")  # fmt: skip
@overwrite_option
@pass_state
@apart
def command(state: State, model: str, settings: tuple[str, ...], out: Path | None, overwrite: bool) -> int:
    """Pack a model into one file for a maintainer.

    MODEL is a file of your own, or the model of an installed plugin. The file holds its code, options, traits,
    card, what it requires, and digests of all; the same bytes for the same code. See: logbench judge.
    """
    entry = state.registry.get("model", model)
    options = {key: value for each in parse_settings(settings).values() for key, value in each.items()}
    facts, data = pack(configured(entry, options))
    target = Path(f"{facts.name}.submission") if out is None else out
    check_free("--out", target, overwrite)
    with written(target):
        target.write_bytes(data)
    say(f"{target}: {facts.name}, {several(len(facts.files), 'file')}, {len(data):,} bytes")
    for name, digest in facts.files.items():
        say(f"  {digest[:12]}  {name}")
    if facts.requires:
        say(f"requires {', '.join(facts.requires)}")
    return 0
