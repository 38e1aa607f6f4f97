"""`logbench report`: one page of stored runs to look at, or their figures as files for a paper."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..look import Look
from ..words import several

if TYPE_CHECKING:
    from logbench import StoredRuns

    from .study import Study

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)
EXTRA = "pip install 'logbench-harness[report]'"


@click.command("report", cls=Look, epilog="Example: logbench report --out report.html")
@click.argument("names", nargs=-1, metavar="[RUN]…")
@click.option("--out", type=FILE, default=Path("report.html"), show_default=True, help="File to write.")
@click.option(
    "--runs", "folder", type=FOLDER, default=Path("runs"), show_default=True, help="Folder of the records."
)
@click.option("--metric", default="f1", show_default=True, metavar="NAME", help="Metric that ranks.")
@click.option("--static", is_flag=True, help="Draw figures as SVG and put no script into the page.")
@click.option(
    "--ladder", type=FILE, metavar="FILE", help="Show a ladder, too: what `logbench ladder --json` printed."
)
@click.option("--figures", type=FOLDER, metavar="DIR", help="Write the figures as files into DIR, and no page.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["pdf", "svg", "png"]),
    default="pdf",
    show_default=True,
    help="Format of --figures.",
)
@click.pass_context
def command(
    ctx: click.Context,
    names: tuple[str, ...],
    out: Path,
    folder: Path,
    metric: str,
    static: bool,
    ladder: Path | None,
    figures: Path | None,
    form: Any,
) -> None:
    """Write runs as one page to look at. Ranking, curves, thresholds, examples, cost, provenance.

    RUN is an id, its beginning, or `last`. Without one, the page shows the newest run and all that were made of
    the same data under the same protocol. The page is one file that loads nothing; it can be sent and printed.
    """
    from logbench import ConfigError, DataError, StoredRuns

    if not (folder / "records.jsonl").exists():
        raise DataError(f"{folder}: no records here; run something first, or give --runs DIR")
    runs = StoredRuns(folder, registry=getattr(ctx.obj, "registry", None))
    try:
        from .page import page
    except ImportError as error:
        raise ConfigError(f"logbench report needs {error.name}, which is not installed: {EXTRA}") from None
    study = replace(_study(names, runs, metric), ladder=None if ladder is None else _ladder(ladder))
    if figures is not None:
        for path in _written(study, figures, form):
            click.echo(f"wrote {path}", err=True)
        return
    text = page(study, static)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    from logbench import escaped, folded, screen_width

    from .head import headline

    click.echo(folded(escaped(headline(study), "terminal"), screen_width()))
    click.echo(f"wrote {out} ({len(text.encode()) / 1e6:.2f} MB, {several(len(study.records), 'run')})", err=True)


def _study(names: Sequence[str], runs: StoredRuns, metric: str) -> Study:
    """The named runs, or the newest and all that may stand in its table.

    Raises:
        ConfigError: the named runs are of several data sets or protocols, which are never ranked together.
        DataError: there is no such run.
    """
    from logbench import ConfigError

    from .study import studies

    if names:
        chosen = [runs.find(name) for name in names]
        found = studies(chosen, runs, metric)
        if len(found) > 1:
            first, other = (one.records[0] for one in found[:2])
            raise ConfigError(
                f"runs {first['run_id']} and {other['run_id']} are of other data sets or protocols, so one table "
                "cannot rank them: name runs of one, or none to take all that go with the newest"
            )
        return found[0]
    newest = runs.find("last")
    found = studies(runs.records(), runs, metric)
    return next(one for one in found if any(record["run_id"] == newest["run_id"] for record in one.records))


def _ladder(file: Path) -> Any:
    """What `logbench ladder --json` printed.

    Raises:
        DataError: the file holds something else.
    """
    from logbench import DataError

    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        version = found["ladder_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{file}: no ladder ({error}); write one: logbench ladder --json > {file}") from None
    if version != 1:
        raise DataError(f"{file}: a ladder of version {version}, not 1; write it again: logbench ladder --json")
    return found


def _written(study: Study, folder: Path, form: Any) -> list[Path]:
    from .drawing import file
    from .sections import sections

    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for figure in (figure for section in sections(study) for figure in section.figures):
        path = folder / f"{figure.name}.{form}"
        path.write_bytes(file(figure, form))
        paths.append(path)
    return paths
