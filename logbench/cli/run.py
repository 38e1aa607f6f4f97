"""`logbench run`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ..base.files import check_free
from ..running import identity
from ..running.fit_checks import check_installed
from ..running.resolve import resolve
from ..studies.plans import ModelsRequest, plans_of
from . import State, completion, pass_state
from .cost_option import cost_option, priced
from .reporting import reporter_of
from .run_results import asked_of, finish
from .shared_options import (
    baselines_option,
    json_option,
    limit_options,
    overwrite_option,
    say_json,
    seeds_options,
    shared_fields,
    split_seeds_of,
    with_plan_options,
)
from .shown import reporter_option
from .top_units import print_ranked
from .tracking import track_option


@click.command(
    "run",
    epilog="Example: logbench run deeplog new-event+length --dataset hdfs-sim --seeds 3",
)
@click.argument("models", shell_complete=completion.model, nargs=-1, required=True, metavar="MODEL…")
@with_plan_options
@cost_option
@reporter_option
@click.option("--seed", type=click.IntRange(min=0), default=None, help="Seed of the model (default 0).")
@seeds_options
@baselines_option
@click.option(
    "--save", type=click.Path(path_type=Path), help="Save the model in this new folder (see: logbench score)."
)
@overwrite_option
@track_option
@limit_options
@json_option
@pass_state
def command(state: State, **options: Any) -> int:
    """Run models on a data set and print a table. All have one protocol.

    MODEL is a name (see: logbench list model), names joined as in a+b, or a file of your own: ./my_model.py, or
    ./my_model.py:MyModel where it holds several. Data set, parser, windower, evaluator and reporter may be files.

    The models share data and split, but no model's figures depend on the others. Each run becomes a record. With
    several seeds or splits a model's row has means with 95% intervals. The table includes rules that need no
    model, and reference baselines.
    """
    records, as_json = [], options["as_json"]
    with state.workbench(options) as bench:
        options = priced(options, state.registry)
        request = request_of(state.command, options)
        shown_by = reporter_of(state, options["reporter"], options["out"], options["each_seed"])
        plans = plans_of(request, state.registry)
        for plan in plans:
            resolved = resolve(plan, state.registry)  # a wrong name or option ends the command here
            if not plan.baseline:
                check_installed(resolved)
            identity.look(resolved)
        for _, record in bench.run(plans):
            records.append(record)
            if as_json:
                say_json(record)
    if not as_json and (len(asked_of(records)) > 1 or records[0]["status"] == "ok"):
        shown_by.show(records)
        print_ranked(records, options["out"], state.registry)
    return finish(records, options["out"])


def request_of(command: str, options: Mapping[str, Any]) -> ModelsRequest:
    """What the options of the command ask for.

    Raises:
        UsageError: options that exclude each other. ConfigError: a setting or file that cannot be read.
    """
    seed, several = options["seed"], options["seeds"]
    if seed is not None and several is not None:
        raise click.UsageError("--seed and --seeds exclude each other")
    seeds = range(several) if several else (seed or 0,)
    splits = split_seeds_of(options["split_seed"], options["split_seeds"])
    save: Path | None = options["save"]
    if save is not None and (len(options["models"]) > 1 or len(seeds) > 1 or len(splits) > 1):
        raise click.UsageError("--save takes one model, one seed and one split")
    if save is not None:
        check_free("--save", save, options["overwrite"], "bundle.json")
    baselines = options["baselines"]
    return ModelsRequest(
        models=options["models"],
        fields={**shared_fields(options), "overwrite": options["overwrite"]},
        command=command,
        seeds=seeds,
        splits=splits,
        save=save,
        baselines=not options["as_json"] if baselines is None else baselines,
    )
