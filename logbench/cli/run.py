"""`logbench run`."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from ..base.errors import PluginError
from ..base.no_exit import no_exit
from . import State, pass_state
from .shared_options import (
    baselines_option,
    json_option,
    limit_options,
    note,
    plan_fields,
    seeds_options,
    split_seeds_of,
    with_plan_options,
)


@click.command(
    "run",
    epilog="Example: logbench run deeplog new-event+length --dataset hdfs-sim --seeds 3",
)
@click.argument("models", nargs=-1, required=True, metavar="MODEL…")
@with_plan_options
@click.option("--reporter", metavar="NAME", help="How records are shown: table, markdown, latex, csv, json …")
@click.option("--seed", type=click.IntRange(min=0), default=None, help="Seed of the model (default 0).")
@seeds_options
@baselines_option
@click.option(
    "--save", type=click.Path(path_type=Path), help="Save the model in this new folder (see: logbench score)."
)
@limit_options
@json_option
@pass_state
def command(
    state: State, models: tuple[str, ...], reporter: str | None, seed: int | None, seeds: int | None,
    split_seeds: int | None, each_seed: bool, baselines: bool | None, save: Path | None, timeout: float | None,
    memory_limit: float | None, as_json: bool, **options: Any,
) -> int:  # fmt: skip
    """Run models on a data set under one protocol and print a table.

    The models share the data and the split; no figure of one depends on the others. Each run becomes a record.
    With several seeds or splits a model's row has means with 95% intervals. Beside the models stand rules that
    need none, and reference baselines.
    """
    from ..api.plan import Plan
    from ..base.child_process import Limits
    from ..base.progress_bars import Bars
    from ..running.resolve import resolve
    from ..running.run_plans import StageBars, run_plans
    from ..running.workers import Crew
    from ..studies.baselines import beside
    from .top_units import print_ranked

    if seed is not None and seeds is not None:
        raise click.UsageError("--seed and --seeds exclude each other")
    chosen = range(seeds) if seeds else (seed or 0,)
    splits = split_seeds_of(options.pop("split_seed"), split_seeds)
    if save is not None and (len(models) > 1 or len(chosen) > 1 or len(splits) > 1):
        raise click.UsageError("--save takes one model, one seed and one split")
    if save is not None and save.exists():
        raise click.UsageError(f"--save {save}: already there; nothing was overwritten, choose another name")
    registry, fields = state.registry, plan_fields(options)
    shown_by = reporter_of(state, reporter, each_seed)
    names = tuple(dict.fromkeys(models))
    plans = [
        Plan(model=name, seed=one, split_seed=split, save=save, companions=names, command=state.command, **fields)
        for split in splits  # outermost: models of one split and seed share their work
        for one in chosen
        for name in names
    ]
    plans = beside(plans, registry) if (not as_json if baselines is None else baselines) else plans
    for plan in plans:
        resolve(plan, registry)  # a wrong name or option ends the command before anything runs
    records = []
    limits = Limits(timeout, memory_limit)
    with Bars() as bars, Crew(1, state.block, limits, bars.note) as crew, StageBars(bars) as watch:
        for _, record in run_plans(plans, registry, crew, watch):
            records.append(record)
            if as_json:
                print(json.dumps(record, ensure_ascii=False, allow_nan=False), flush=True)
    if not as_json and (len(asked_of(records)) > 1 or records[0]["status"] == "ok"):
        print(shown_by.report(records))
        print_ranked(records, options["out"], registry)
    return finish(records, options["out"])


def reporter_of(state: State, name: str | None, each_seed: bool = False, metric: str = "f1") -> Any:
    """The reporter `name`, or the default one; it shows `metric` if it has such an option.

    Raises:
        ConfigError: it is unknown, or cannot show each seed.
    """
    from ..base.options import fields_of
    from ..components.configured import configured

    if name is None:
        offered = state.registry.components["reporter"]
        name = next((n for n, entry in offered.items() if entry.item.default), next(iter(offered), "table"))
    entry = state.registry.get("reporter", name)
    options: dict[str, Any] = {"each_seed": True} if each_seed else {}
    if metric != "f1" and "metric" in fields_of(entry.item.config):
        options["metric"] = metric
    part = configured(entry, options)
    return _Reporter(name, part.build())


class _Reporter:
    """A reporter that cannot end the command, or print what is no text: the runs are recorded already."""

    def __init__(self, name: str, own: Any) -> None:
        self.name, self.own = name, own

    def report(self, records: Sequence[Mapping[str, Any]]) -> str:
        """See `Reporter.report`.

        Raises:
            PluginError: it fails; its traceback goes to standard error.
        """
        try:
            with no_exit():
                text = self.own.report(records)
        except (Exception, SystemExit) as error:
            traceback.print_exc()
            said = f"{type(error).__name__}: {error}"
            raise PluginError(
                f"reporter {self.name!r} failed: {said}; the runs are recorded (logbench runs)"
            ) from None
        if not isinstance(text, str):
            raise PluginError(f"reporter {self.name!r} must return a text, got {type(text).__name__}")
        return text


def finish(records: Sequence[Mapping[str, Any]], out: Path) -> int:
    """Say what went wrong and what to try next; the exit code of these runs, where a skipped one fails, too."""
    told = {record["error"]["message"] for record in asked_of(records) if record["error"]}
    for record in records:
        if record["error"] and record["baseline"] and record["error"]["message"] in told:
            continue  # what is wrong with the data is wrong for the baselines, too
        if record["error"] and record["error"].get("traceback"):
            sys.stderr.write(record["error"]["traceback"])
        if record["error"]:
            beside = record["baseline"] or len(asked_of(records)) > 1
            kind = "skipped" if record["status"] == "skipped" and beside else "error"
            note(f"{kind}: {record['model']}: {record['error']['message']} (stage {record['error']['stage']})")
    next_step(records, out)
    skipped = any(record["status"] == "skipped" for record in asked_of(records))
    return code_of(records) or (2 if skipped else 0)


def next_step(records: Sequence[Mapping[str, Any]], out: Path) -> None:
    """Say where the records are and what to type next; nothing where no run went well."""
    good = [record for record in asked_of(records) if record["status"] == "ok"]
    if good:
        where = "" if out == Path("runs") else f" --out {out}"
        newest = max(good, key=lambda record: record["started"])
        which = " --false-positives" if newest["metrics"] else ""
        note(f"records in {out / 'records.jsonl'}; next: logbench show {newest['run_id']}{where}{which}")


def asked_of(records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those that are no baselines beside what was asked for."""
    return [record for record in records if not record["baseline"]]


def code_of(records: Sequence[Mapping[str, Any]]) -> int:
    """Exit code: 1 for a bug, 2 where a run failed or none that was asked for went well, else 0."""
    if any(record["error"] and record["error"].get("traceback") for record in records):
        return 1
    good = any(record["status"] == "ok" for record in asked_of(records))
    return 0 if good and all(record["status"] != "error" for record in records) else 2
