"""`logbench judge`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import click

from ..api.plan import Plan
from ..base.errors import ConfigError
from ..base.maintainer_key import read_key
from ..base.options import parse_settings
from ..components import submissions
from ..running import records
from . import State, completion, pass_state
from .cost_option import cost_option, priced
from .reporting import reporter_of
from .shared_options import json_option, limit_options, note, out_option, say, say_json, set_option


@click.command(
    "judge", epilog="Example: logbench judge mine.submission --sealed split/sealed --key maintainer.key"
)
@click.argument("submission", shell_complete=completion.model)
@click.option("--sealed", required=True, type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="Sealed part of a data set, as logbench seal wrote it.")  # fmt: skip
@click.option("--key", required=True, type=click.Path(path_type=Path, dir_okay=False),
              help="File of the maintainer's key.")  # fmt: skip
@click.option("--run", "consent", metavar="DIGEST",
              help="Run the code of the submission that has this SHA-256 (its first 12 digits do).")  # fmt: skip
@click.option("--evaluator", "evaluators", multiple=True, shell_complete=completion.evaluator, metavar="NAME",
              help="Evaluator (repeatable).")  # fmt: skip
@cost_option
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the model.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda", "mps"]), default="auto", show_default=True,
              help="Device of the model.")  # fmt: skip
@set_option
@limit_options
@out_option
@json_option
@pass_state
def command(state: State, submission: str, sealed: Path, key: Path, consent: str | None, **options: Any) -> int:
    """Judge a submission on sealed data; sign the record.

    It trains on the open units and is tested on the sealed ones, in a process without network, sealed files or
    labels. Its code runs only where --run names its digest; without it, the submission is described. SUBMISSION is
    a file of logbench submit, or the name of an installed model.
    """
    from ..studies.judge import cell, hidden_from_models, judged_plan, kept, walls

    options, out = priced(options, state.registry), options["out"]
    file = Path(submission) if Path(submission).is_file() else None
    digest = ""
    if file is not None:
        facts, digest = submissions.read(file)
        if consent is None:
            _describe(facts, digest, submission)
            return 0
        if len(consent) < 12 or not digest.startswith(consent):
            raise ConfigError(f"--run {consent}: {submission} has the digest {digest}")
    else:
        state.registry.get("model", submission)
    secret = read_key(key)
    records.check_folder(out)
    hidden = hidden_from_models(sealed, key, out)
    with (
        cell(file, digest, hidden) as address,
        tempfile.TemporaryDirectory(dir=out, prefix=".judging-") as judging,
    ):
        plan = Plan(
            model=address or submission, dataset="", evaluators=tuple(options["evaluators"]), seed=options["seed"],
            device=options["device"], settings=parse_settings(options["settings"]), out=Path(judging),
            command=state.command,
        )  # fmt: skip
        plan, part = judged_plan(plan, sealed, secret)
        kind = walls(hidden)
        if kind != "namespaces":
            note("warning: no namespaces here: only Python keeps the model from network and sealed files")
        with state.workbench(options) as bench:
            ((_, record),) = bench.run([plan])
        own = {"submission": digest, "walls": kind}
        record = kept(record, out, secret, part, own, judging=Path(judging), address=address)
    if options["as_json"]:
        say_json(record)
        return 0
    reporter_of(state, None, out).show([record])
    say(f"signed by {record['sealed']['fingerprint']}; in {out / records.FILE}")
    return 0


def _describe(facts: Any, digest: str, name: str) -> None:
    """Say what a submission holds, and how to run it."""
    say(f"{facts.name}: {facts.summary or 'no summary'}")
    for file, one in facts.files.items():
        say(f"  {one[:12]}  {file}")
    say(f"requires {', '.join(facts.requires) or 'nothing'}; nothing of it has run")
    say(f"read its code (unzip {name}), then: logbench judge {name} … --run {digest[:16]}")
