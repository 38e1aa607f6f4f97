"""`logbench site`: a leaderboard of stored runs as files for any web server."""

from __future__ import annotations

from pathlib import Path

import click

from ..look import Look
from ..words import several

EXTRA = "pip install 'logbench-harness[report]'"


@click.command("site", cls=Look, epilog="Example: logbench site runs --out public")
@click.argument(
    "records", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="RECORDS…"
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("public"),
    show_default=True,
    help="Folder to write.",
)
@click.option("--title", default="logbench leaderboard", show_default=True, help="Title of the site.")
@click.option("--url", default="", metavar="URL", help="Address of the site, for the links of its feed.")
@click.option("--metric", default="f1", show_default=True, metavar="NAME", help="Metric that ranks.")
@click.option("--scores/--no-scores", default=True, show_default=True, help="Copy the scores of each run, too.")
@click.pass_context
def command(
    ctx: click.Context, records: tuple[Path, ...], out: Path, title: str, url: str, metric: str, scores: bool
) -> None:  # fmt: skip
    """Write a leaderboard of runs as a site of plain files.

    It has a page a data set, model and protocol, ranks by protocol, records and scores.
    RECORDS are folders of records, or their files. A table is one data set under one protocol; nothing is ranked
    across protocols. The pages load nothing; the folder can be offered as it is, by GitHub Pages, say.
    Check what others send first: logbench check-records.
    """
    from logbench import ConfigError

    if url and not url.startswith(("https://", "http://")):
        raise click.UsageError(f"--url {url}: give the whole address, such as https://me.github.io/board/")
    try:
        from .write import write
    except ImportError as error:
        raise ConfigError(f"logbench site needs {error.name}, which is not installed: {EXTRA}") from None
    from .board import board

    made = board(records, metric, getattr(ctx.obj, "registry", None))
    for text in write(made, out, title, url and url.rstrip("/") + "/", scores):
        click.echo(f"warning: {text}", err=True)
    counts = {"model": made.models, "data set": made.data, "protocol": made.protocols, "run": made.folders}
    click.echo(", ".join(several(len(of), name) for name, of in counts.items()))
    click.echo(f"wrote {out / 'index.html'}", err=True)
