"""`logbench track`: hand stored runs to a tracker."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click


@click.command("track", epilog="Example: logbench track mlflow last")
@click.argument("tracker", type=click.Choice(["mlflow", "wandb"]))
@click.argument("names", nargs=-1, required=True, metavar="RUN…")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("runs"), show_default=True,
    help="Folder of the records.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print only JSON Lines on standard output.")
def command(tracker: str, names: tuple[str, ...], out: Path, as_json: bool) -> None:
    """Hand stored runs to an experiment tracker. As `--track` does while they run.

    RUN is an id, its beginning, or `last`. A run that is handed over twice is there twice.
    """
    from logbench import RunRecord, StoredRuns

    from . import mlflow, wandb
    from .asked import tell

    to: Any = {"mlflow": mlflow, "wandb": wandb}[tracker]
    runs = StoredRuns(out)
    for found in [runs.find(name) for name in names]:
        said = to.track(RunRecord(**found), out)
        if as_json:
            click.echo(json.dumps({"run": found["run_id"], "tracker": tracker, "said": said}))
        else:
            tell(said)
