"""`logbench leaderboard`."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import click

from ..base.jsonable import several
from ..components.registry import Registry
from . import State, pass_state
from .run import code_of, next_step, reporter_of
from .shared_options import (
    WIDTH,
    baselines_option,
    limit_options,
    note,
    plan_fields,
    seeds_options,
    split_seeds_of,
    with_plan_options,
)

# Seeds of a stochastic model where the user says nothing.
SEEDS = 3


@click.command(
    "leaderboard",
    epilog="Example: logbench leaderboard --dataset hdfs-sim --exclude deeplog --seeds 3",
)
@click.option("--models", metavar="A,B+C,…", multiple=True,
              help="Models to run (repeatable); by default all that are installed.")  # fmt: skip
@click.option("--exclude", metavar="A,B,…", multiple=True, help="Models to leave out (repeatable).")
@with_plan_options
@seeds_options
@baselines_option
@click.option("--metric", default="f1", show_default=True,
              help="What ranks: a metric of the headline, or EVALUATOR.METRIC such as cost.cost.")  # fmt: skip
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, metavar="N",
              help="Run so many side by side; times are then left out of the table.")  # fmt: skip
@limit_options
@click.option("--resume/--fresh", default=True, show_default=True,
              help="Take over runs in --out that had the same plan, data and code, or run all anew.")  # fmt: skip
@click.option("--format", "reporter", metavar="NAME", help="A reporter: table, markdown, latex, csv, json …")
@pass_state
def command(
    state: State, models: tuple[str, ...], exclude: tuple[str, ...], seeds: int | None, split_seeds: int | None,
    each_seed: bool, baselines: bool | None, metric: str, jobs: int, timeout: float | None,
    memory_limit: float | None, resume: bool, reporter: str | None, **options: Any,
) -> int:  # fmt: skip
    """Run many models on a data set under one protocol and rank them by F1, or by another metric.

    Each runs in a worker process, so that one that fails, hangs or runs out of memory is a row with its reason and
    stops nothing else. Each run becomes a record; what is there already is not run again. Stochastic models run
    with three seeds, deterministic ones once. Reference baselines stand beside the models. Models that share a
    letter (column tied) are not told apart.
    """
    from ..api.plan import Plan
    from ..base.child_process import Limits
    from ..base.progress_bars import Bars
    from ..running.workers import Crew
    from ..studies.baselines import beside
    from ..studies.leaderboard import Leaderboard, check_metric, ranked
    from ..studies.ties import all_pairs

    splits = split_seeds_of(options.pop("split_seed"), split_seeds)
    names = chosen(state.registry, models, exclude)
    shown_by, fields = reporter_of(state, reporter, each_seed, metric), plan_fields(options)
    plans = [
        Plan(model=name, seed=seed, split_seed=split, companions=names, command=state.command, **fields)
        for split in splits  # outermost: models of one split and seed share their work
        for seed in range(seeds or SEEDS)
        for name in names
        if seed == 0 or _stochastic(state.registry, name)
    ]
    plans = plans if baselines is False else beside(plans, state.registry, _names(exclude))
    limits = Limits(timeout, memory_limit)
    with Bars() as bars, Crew(min(jobs, len(plans)), state.block, limits, bars.note) as crew:
        check_metric(plans[0], metric, state.registry, crew)
        board = Leaderboard(plans, state.registry, bars, crew, resume=resume)
        if board.taken_over:
            bars.note(
                f"{board.taken_over} of {several(len(plans), 'run')} taken over from {options['out']} "
                "(--fresh: run again)"
            )
        found: list[Mapping[str, Any]] = []
        for _, record in board.results():
            found += ranked([record], metric)  # a metric that is not there is said at once
        records = ranked(found, metric)
    for record in records:
        if record["error"] and record["error"].get("traceback"):
            note(f"{record['model']}: {record['error']['traceback']}")
    pairs = all_pairs(records, metric, options["out"])
    letters = pairs.letters()
    print(shown_by.report([{**record, "tied": letters.get(record["model"])} for record in records]))
    if text := pairs.said():
        shown = textwrap.fill(text, WIDTH, subsequent_indent="  ")
        print(f"\n{shown}") if reporter is None else note(text)  # what machines read holds rows alone
    next_step(records, options["out"])
    return code_of(records)


def _stochastic(registry: Registry, name: str) -> bool:
    stochastic: bool = registry.get("model", name).item.traits.stochastic
    return stochastic


def chosen(registry: Registry, models: Sequence[str], exclude: Sequence[str]) -> tuple[str, ...]:
    """Names of the models to run.

    Raises:
        ConfigError: an unknown name. UsageError: none is named, or none is left.
    """
    wanted = tuple(registry.components["model"]) if not models else _names(models)
    wanted, out = (
        tuple(registry.get("model", name).item.name for name in names) for names in (wanted, _names(exclude))
    )
    left = tuple(name for name in dict.fromkeys(wanted) if name not in out)
    if not left:
        raise click.UsageError("--models and --exclude leave no model to run")
    return left


def _names(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.strip() for text in texts for name in text.split(",") if name.strip())
