"""`logbench workflow`: the workflows of a run's log as graphs, and where a unit left them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from logbench import SavedRun

    from .graph import Workflow


@click.command("workflow", epilog="Example: logbench workflow last --format mermaid")
@click.argument("run")
@click.option("--by", type=click.Choice(["model", "counts"]), default="model", show_default=True,
              help="What says which key is next: the run's key model, or the log itself.")  # fmt: skip
@click.option("--cut", type=click.FloatRange(0, 1, min_open=True), default=0.05, show_default=True,
              help="A next key that is less likely is no step.")  # fmt: skip
@click.option("--tau", type=click.FloatRange(0, 1), default=0.5, show_default=True,
              help="Keys are of one task where they come together by more: 0 is chance, 1 is always.")  # fmt: skip
@click.option("--distance", type=click.IntRange(1), default=10, show_default=True,
              help="Events within which keys come together.")  # fmt: skip
@click.option("--unit", metavar="ID", help="Say where this unit left its workflow, instead of a graph.")
@click.option("--format", "form", type=click.Choice(["text", "mermaid", "dot", "json"]), default="text",
              show_default=True, help="How to draw.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs"), show_default=True,
              help="Folder of the records.")  # fmt: skip
@click.pass_context
def command(
    ctx: click.Context, /, run: str, by: str, unit: str | None, form: str, out: Path, **options: Any
) -> None:
    """Draw the workflows of a run's training units.

    RUN is an id, its beginning, or `last`. By its model, it is one of deeplog, deeplog-full or another model of
    the next key, kept by --save; by counts, it is any run. Keys that come together more often than by chance are
    of one task, even where several tasks run at once. Their graph shows steps, branches, loops (back) and keys
    that come in any order.
    """
    from logbench import Bars, saved_run

    from . import drawing

    with Bars() as bars:
        stored = saved_run(run, out, registry=getattr(ctx.obj, "registry", None), bars=bars)
    templates = dict(enumerate(stored.sessions.templates)) or dict.fromkeys(range(stored.sessions.vocabulary), "")
    workflows = workflows_of(stored, by, **options)
    if unit is not None:
        click.echo(_left(stored, unit, workflows, templates, form))
    elif form == "json":
        click.echo(json.dumps(drawing.values(workflows, templates), indent=1))
    else:
        draw = {"text": drawing.text, "mermaid": drawing.mermaid, "dot": drawing.dot}[form]
        click.echo(draw(workflows, templates))


def workflows_of(stored: SavedRun, by: str, cut: float, tau: float, distance: int) -> list[Workflow]:
    """Workflows of the training units of a run, the most frequent first.

    Raises:
        DataError: the run has no saved model. IncompatibleError: it does not guess keys.
    """
    from .expectations import Expectations
    from .graph import workflow_of
    from .tasks import tasks_of

    train = stored.sessions.take(stored.train)
    if train.labels is not None:
        train = train.take((train.labels != 1).nonzero()[0])
    given = Expectations.counted(train) if by == "counts" else Expectations.foretold(train, _key_model(stored))
    return [workflow_of(given, task, cut) for task in tasks_of(given, tau, distance)]


def _key_model(stored: SavedRun) -> Any:
    from logbench import DataError, IncompatibleError
    from logbench.torch import NextKeyModel

    name = stored.record["model"]
    if stored.model is None:
        raise DataError(
            f"run {stored.record['run_id']} kept no model; run it again with --save FOLDER, or use --by counts"
        )
    model = getattr(stored.model, "keys", None) if name == "deeplog-full" else stored.model
    if not isinstance(model, NextKeyModel):
        raise IncompatibleError(f"model {name} guesses no keys; use --by counts, or a run of deeplog")
    return model


def _left(stored: SavedRun, unit: str, workflows: list[Workflow], templates: dict[int, str], form: str) -> str:
    """Where a unit left its workflows."""
    from logbench import DataError

    from . import drawing
    from .graph import departures

    places = (stored.sessions.ids == unit).arg_true()
    if not len(places):
        raise DataError(f"--unit {unit}: run {stored.record['run_id']} has no such unit; see: logbench show")
    one = stored.sessions[int(places[0])]
    keys = one.keys.tolist()
    texts = {k: str(t) for k, t in zip(keys, one.texts, strict=True) if t is not None and k not in templates}
    found = departures(keys, workflows)
    if form == "json":
        return json.dumps(
            [{"event": d.event, "key": d.key, "workflow": d.workflow, "before": d.before,
              "expected": {str(key): round(share, 4) for key, share in d.expected.items()}} for d in found],
            indent=1,
        )  # fmt: skip
    head = f"{unit}: {len(keys)} events"
    if not found:
        return f"{head}, all within their workflows"
    told = drawing.left(found, templates | texts, len(keys), len(templates))
    return f"{head}, {len(found)} off their workflows\n\n{told}"
