"""`logbench run`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from . import State, pass_state
from .common import json_option, note, plan_fields, with_plan_options


@click.command(
    "run",
    epilog="Example: logbench run deeplog new-event+length --dataset hdfs-sim --seeds 3",
)
@click.argument("models", nargs=-1, required=True, metavar="MODEL…")
@with_plan_options
@click.option("--reporter", metavar="NAME", help="How records are shown.")
@click.option("--seed", type=click.IntRange(min=0), default=None, help="Seed of the model (default 0).")
@click.option("--seeds", type=click.IntRange(min=1), help="Run seeds 0 … N − 1.")
@click.option(
    "--save", type=click.Path(path_type=Path), help="Save the model in this new folder (see: logbench score)."
)
@json_option
@pass_state
def command(
    state: State, models: tuple[str, ...], reporter: str | None, seed: int | None, seeds: int | None,
    save: Path | None, as_json: bool, **options: Any,
) -> int:  # fmt: skip
    """Run models on a data set under one protocol and print a table.

    The models share the data, the split and the limit of short sessions. Each run becomes a record.
    """
    from ..plan import Plan, resolve
    from ..progress import Bars
    from ..runner import run_all

    if seed is not None and seeds is not None:
        raise click.UsageError("--seed and --seeds exclude each other")
    chosen = range(seeds) if seeds else (seed or 0,)
    if save is not None and (len(models) > 1 or len(chosen) > 1):
        raise click.UsageError("--save takes one model and one seed")
    if save is not None and save.exists():
        raise click.UsageError(f"--save {save}: already there; nothing was overwritten, choose another name")
    registry, fields = state.registry, plan_fields(options)
    shown_by = reporter_of(state, reporter)
    names = tuple(dict.fromkeys(models))
    plans = [
        Plan(model=name, seed=one, save=save, companions=names, command=state.command, **fields)
        for name in names
        for one in chosen
    ]
    jobs = [resolve(plan, registry) for plan in plans]
    records = []
    with Bars() as bars:
        for record in run_all(jobs, registry, bars):
            records.append(record)
            if as_json:
                print(record.to_json(), flush=True)
    if not as_json and (len(records) > 1 or records[0].status == "ok"):
        print(shown_by.report([record.as_dict() for record in records]))
    return finish(records, options["out"])


def reporter_of(state: State, name: str | None) -> Any:
    from ..plan import Part

    if name is None:
        offered = state.registry.components["reporter"]
        name = next((n for n, entry in offered.items() if entry.item.default), next(iter(offered), "table"))
    entry = state.registry.get("reporter", name)
    return Part(entry, entry.item.config() if entry.item.config else None).build()


def finish(records: list[Any], out: Path) -> int:
    """Say what went wrong and what to try next; the exit code of these runs."""
    for record in records:
        if record.error and record.error.get("traceback"):
            sys.stderr.write(record.error["traceback"])
        if record.error:
            kind = "skipped" if record.status == "skipped" and len(records) > 1 else "error"
            note(f"{kind}: {record.model}: {record.error['message']} (stage {record.error['stage']})")
    good = [record for record in records if record.status == "ok"]
    if good:
        where = "" if out == Path("runs") else f" --out {out}"
        note(f"records in {out / 'records.jsonl'}; next: logbench show {good[-1].run_id}{where} --false-positives")
    if any(record.error and record.error.get("traceback") for record in records):
        return 1
    return 0 if good and all(record.status != "error" for record in records) else 2
