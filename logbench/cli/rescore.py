"""`logbench rescore`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..base.options import parse_settings
from ..running import run_names
from . import State, completion, pass_state, run_completion
from .apart import apart
from .cost_option import cost_option, priced
from .reporting import reporter_of
from .run_results import finish
from .shared_options import json_option, note, out_option, say_json
from .shown import reporter_option


@click.command("rescore", epilog="Example: logbench rescore last --set protocol.threshold=oracle")
@click.argument("run", shell_complete=run_completion.run)
@click.option(
    "--set",
    "settings",
    multiple=True,
    shell_complete=completion.setting,
    metavar="COMPONENT.KEY=VALUE",
    help="A field of the protocol that acts after scoring, or an option of an evaluator, such as cost.miss=20.",
)
@click.option(
    "--evaluator",
    "evaluators",
    multiple=True,
    shell_complete=completion.evaluator,
    metavar="NAME",
    help="Evaluator beside those of the run (repeatable).",
)
@cost_option
@reporter_option
@out_option
@json_option
@pass_state
@apart
def command(state: State, run: str, reporter: str | None, out: Path, as_json: bool, **asked: Any) -> int:
    """Compute new verdicts and metrics from stored scores. Nothing is trained.

    It writes a new record. The run's evaluators are asked again, with the options that they had, and those that
    --evaluator adds.
    """
    from ..studies.rescore import rescore

    asked = priced(asked, state.registry, defaults=False)
    options = parse_settings(asked["settings"])
    changes = options.pop("protocol", {})
    shown_by = reporter_of(state, reporter, out)
    old = run_names.find(run, out)
    new = rescore(old, out, changes, asked["evaluators"], state.registry, state.command, options)
    for text in new.notes[1:]:
        note(text)
    if as_json:
        say_json(new.as_dict())
    else:
        shown_by.show([new.as_dict()])
    return finish([new.as_dict()], out)
