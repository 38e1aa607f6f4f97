"""`logbench cite`: what to cite of runs, and their protocol in a sentence."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import click

from ..look import Look


@click.command("cite", cls=Look, epilog="Example: logbench cite last --format apa")
@click.argument("names", nargs=-1, required=True, metavar="RUN…")
@click.option(
    "--format", "form", type=click.Choice(["bibtex", "apa", "cff"]), default="bibtex", show_default=True,
    help="Format of the works.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("runs"), show_default=True,
    help="Folder of the records.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print only JSON Lines on standard output.")
@click.pass_context
def command(ctx: click.Context, names: tuple[str, ...], form: Any, out: Path, as_json: bool) -> None:
    """Print what to cite of runs. Also their protocol in one sentence, for a paper.

    Works are logbench, the data set's and the models', as their cards name them. RUN is an id, its beginning, or
    `last`; several are of one data set and protocol.
    """
    from logbench import ConfigError, StoredRuns

    from .formats import formatted
    from .sentence import sentence
    from .works import works_of

    runs = StoredRuns(out, registry=getattr(ctx.obj, "registry", None))
    records = [runs.find(name) for name in names]
    protocols = {(one["protocol"]["hash"], one["dataset"].get("name")) for one in records}
    if len(protocols) > 1:
        raise ConfigError("these runs are of several data sets or protocols, but a sentence says one: cite each")
    works, notes = works_of(records, runs)
    if as_json:
        found = [dataclasses.asdict(work) for work in works]
        click.echo(json.dumps({"works": found, "protocol": sentence(records), "notes": notes}))
        return
    mark = {"bibtex": "% ", "cff": "# "}.get(form, "")
    click.echo(formatted(works, form))
    click.echo(f"\n{mark}{sentence(records)}")
    for text in notes:
        click.echo(text, err=True)
