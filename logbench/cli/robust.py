"""`logbench robust`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import click

from ..api.protocol import DISTURBED
from ..base.jsonable import several
from ..studies.plans import ModelsRequest
from . import State, completion, pass_state
from .beside_rule import note_skipped, rule_cells, value_cells, with_study_options
from .shared_options import (
    WIDTH,
    digits_of,
    executor_option,
    json_option,
    limit_options,
    print_json,
    room,
    shared_fields,
    split_seeds_of,
    with_plan_options,
    wrapped,
)
from .shown import Shown, format_option, shown_as
from .tracking import track_option

KINDS = list(dict.fromkeys([*DISTURBED, *(name for names in DISTURBED.values() for name in names)]))
# Default number of splits, each of which draws anew what is disturbed.
SPLITS = 3


@click.command("robust", epilog="Example: logbench robust ecvc --dataset hdfs-sim --kind lines --dose 0,5,20%")
@click.argument("model", shell_complete=completion.model)
@with_plan_options
@click.option("--kind", "kinds", type=click.Choice(KINDS), multiple=True, required=True, metavar="KIND",
              help="What is disturbed (repeatable): parse, lines, labels or templates, or one kind of these such "
                   "as split, remove or new.")  # fmt: skip
@click.option("--dose", default="0,1,5,10,20%", show_default=True,
              help="Shares of the units, or labels, that are disturbed; 0 is added.")  # fmt: skip
@click.option("--on", type=click.Choice(["test", "both", "train"]), default="test", show_default=True,
              help="Disturb the test set alone, or training too; of labels also training alone.")  # fmt: skip
@with_study_options
@executor_option
@track_option
@limit_options
@format_option
@json_option
@pass_state
def command(state: State, model: str, kinds: tuple[str, ...], **options: Any) -> int:
    """Show how far a model falls as its logs get worse.

    Each dose of each disturbance is a run of its own, with fields of the protocol (unstable, label_noise,
    test_label_noise), over three splits unless --split-seeds says otherwise; dose 0 is the plain run. Beside the
    model stands the best rule without a model under the same dose.
    """
    from ..studies.robustness import check_undisturbed, disturbances, doses_of, robust

    shown, as_json = shown_as(options["form"], options["as_json"]), options["as_json"]
    asked, doses = disturbances(kinds, options["on"]), doses_of(options["dose"])
    several_splits = options["split_seeds"] or (SPLITS if options["split_seed"] is None else None)
    request = ModelsRequest(
        models=(state.registry.get("model", model).address,),
        fields=shared_fields(options),
        command=state.command,
        seeds=range(options["seeds"] or 1),
        splits=split_seeds_of(options["split_seed"], several_splits),
        stochastic_only=True,
    )
    check_undisturbed(request, state.registry)
    with state.workbench(options, jobs=options["jobs"], resume=options["resume"]) as bench:
        rows = list(robust(request, asked, doses, options["metric"], bench))
    good = [row for row in rows if "skipped" not in row]
    if as_json:
        print_json(rows)
    elif good:
        _show(good, model, options, shown)
    note_skipped(rows, "dose")
    return 0 if good else 2


def _show(rows: Sequence[Mapping[str, Any]], model: str, options: Mapping[str, Any], shown: Shown) -> None:
    from ..studies.robustness import falls_from

    metric, way = options["metric"], rows[0]["way"]
    where = {"test": "the test set alone", "both": "training and test", "train": "training alone"}[options["on"]]
    better = "" if way == "higher" else ", lower is better"
    shown.say(f"{metric} of {model} on {options['dataset']}{better}; disturbed: {where}")
    shown.say(f"{several(len(rows[0]['runs']), 'run')} a dose, 95% intervals over splits or seeds")
    shown.say()
    digits = digits_of([row["value"] for row in rows], most=3)
    shown.table([_cells(row, metric, digits) for row in rows], drop=("changed", "best rule"))
    shown.say()
    for kind in dict.fromkeys(row["kind"] for row in rows):
        least = falls_from([row for row in rows if row["kind"] == kind])
        shown.say(f"{kind}: {_said(least)}")
    shown.say("command of the first run, others alike:")
    shown.say(" \\\n    ".join(wrapped(shlex.split(rows[0]["command"]), min(room(), WIDTH))))


def _said(least: float | None) -> str:
    if least is None:
        return "at no dose worse than the best rule"
    return (
        "worse than the best rule without any"
        if not least
        else f"worse than the best rule from {100 * least:g}% on"
    )


def _cells(row: Mapping[str, Any], metric: str, digits: int) -> dict[str, str]:
    return {
        "kind": row["kind"],
        "dose": f"{100 * row['dose']:g}%",
        "changed": f"{row['changed']:,.0f}",
        **value_cells(row, metric, digits),
        **rule_cells(row, digits),
    }
