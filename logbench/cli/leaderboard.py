"""`logbench leaderboard`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from ..api.record_sections import Record
from ..components.registry import Registry
from ..studies.label_tables import parted, plans_of_both, supervised_of
from ..studies.plans import ModelsRequest, choose_models, excluded_models, plans_of
from . import State, completion, pass_state
from .reporting import GuardedReporter, reporter_of
from .run_results import code_of, next_step
from .shared_options import (
    at_most,
    baselines_option,
    executor_option,
    jobs_option,
    json_option,
    limit_options,
    note,
    resume_option,
    say,
    say_json,
    seeds_options,
    shared_fields,
    split_seeds_of,
    with_plan_options,
)
from .shown import reporter_option
from .tracking import track_option

# Default number of seeds of a stochastic model.
SEEDS = 3


@click.command(
    "leaderboard",
    epilog="Example: logbench leaderboard --dataset hdfs-sim --exclude torch --seeds 3",
)
@click.option("--models", shell_complete=completion.model, metavar="A,B+C,…", multiple=True,
              help="Models to run (repeatable); by default all installed ones.")  # fmt: skip
@click.option(
    "--exclude",
    metavar="A,B,…",
    multiple=True,
    help="Models to leave out (repeatable), or what they require: torch.",
)
@click.option("--heavy", is_flag=True, help="Of all models, also run those that train for long.")
@with_plan_options
@seeds_options
@baselines_option
@click.option("--label-budget", type=click.FloatRange(min=0, min_open=True), metavar="N",
              help="Two tables over the same test units: without labels, and with N labels (up to 1: a share of "
                   "the training units) for all models.")  # fmt: skip
@click.option("--metric", default="f1", show_default=True,
              help="Metric to rank by: one of the headline, or EVALUATOR.METRIC such as cost.cost.")  # fmt: skip
@jobs_option
@executor_option
@track_option
@limit_options
@resume_option
@reporter_option
@json_option
@pass_state
def command(state: State, **options: Any) -> int:
    """Run many models under one protocol and rank them. By F1, or by another metric.

    Each model runs in a worker process: one that fails, hangs or runs out of memory becomes a row with the reason,
    and the others go on. Each run becomes a record; existing records are reused. Stochastic models run with three
    seeds, deterministic models once. The table includes reference baselines. Models that share a letter (column
    tied) do not differ significantly. With --label-budget there are two tables over the same test units.
    """
    from ..studies.leaderboard import ranked, run_leaderboard

    if options["as_json"] and options["reporter"] is not None:
        raise click.UsageError("--format and --json exclude each other")
    request, budget = request_of(state, options), options["label_budget"]
    shown_by = reporter_of(state, options["reporter"], options["out"], options["each_seed"], options["metric"])
    plans = plans_of(request, state.registry) if budget is None else plans_of_both(request, budget, state.registry)
    with state.workbench(options, jobs=at_most(options["jobs"], len(plans)), resume=options["resume"]) as bench:
        records = run_leaderboard(plans, options["metric"], bench)
    if budget is not None and (left := supervised_of(request.models, state.registry)):
        note(f"the table without labels is without {', '.join(left)}, which learn from labels alone")
    for record in records:
        if record["error"] and record["error"].get("traceback"):
            note(f"{record['model']}: {record['error']['traceback']}")
    tables = [records] if budget is None else [ranked(part, options["metric"]) for part in parted(records)]
    _show(tables, shown_by, options)
    next_step(records, options["out"])
    return code_of(records)


def _show(tables: Sequence[Sequence[Record]], shown_by: GuardedReporter, options: Mapping[str, Any]) -> None:
    """The tables, their models marked by whether they tie, and what the marks mean."""
    from ..studies.ties import all_pairs

    shown, said = [], []
    for records in tables:
        pairs = all_pairs(records, options["metric"], options["out"])
        letters = pairs.letters()
        shown += [{**dict(record), "tied": letters.get(record["model"])} for record in records]
        said.append(pairs.said())
    if options["as_json"]:
        for record in shown:
            say_json(record)
    else:
        shown_by.show(shown)
    for text in filter(None, said):
        # what machines read holds rows alone
        if options["reporter"] is None and not options["as_json"]:
            print()
            say(text)
        else:
            note(text)


def request_of(state: State, options: Mapping[str, Any]) -> ModelsRequest:
    """What the options of the command ask for.

    Raises:
        UsageError: options that exclude each other, or leave no model. ConfigError: an unknown model or setting.
    """
    return ModelsRequest(
        splits=split_seeds_of(options["split_seed"], options["split_seeds"]),
        models=chosen(state.registry, options["models"], options["exclude"], options["heavy"]),
        fields=shared_fields(options),
        command=state.command,
        seeds=range(options["seeds"] or SEEDS),
        stochastic_only=True,
        baselines=options["baselines"] is not False,
        without=excluded_models(state.registry, _names(options["exclude"])),
    )


def chosen(
    registry: Registry, models: Sequence[str], exclude: Sequence[str], heavy: bool = True
) -> tuple[str, ...]:
    """Names of the models to run; which heavy ones are left out of all is said in a line.

    Raises:
        ConfigError: an unknown name.
        UsageError: no model is left.
    """
    named = _names(models)
    left = choose_models(registry, named, _names(exclude), True) if named or not models else ()
    if not (named or heavy):
        lighter = choose_models(registry, (), _names(exclude))
        if out := [name for name in left if name not in lighter]:
            note(f"without {', '.join(out)}, too slow for all models at once: --heavy or --models runs them")
        left = lighter
    if not left:
        raise click.UsageError("--models and --exclude leave no model to run")
    return left


def _names(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.strip() for text in texts for name in text.split(",") if name.strip())
