"""`logbench transfer`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from ..base.jsonable import several
from ..studies.plans import ModelsRequest
from . import State, completion, pass_state
from .beside_rule import note_skipped, rule_cells, value_cells, with_study_options
from .shared_options import (
    digits_of,
    json_option,
    limit_options,
    plan_options,
    print_json,
    shared_fields,
    split_seeds_of,
)
from .shown import Shown, format_option, shown_as
from .tracking import track_option

# Options of a plan but for the data set's name and place.
OPTIONS = plan_options[2:]
# Default similarity of texts that an embedding takes for one template.
SIMILARITY = 0.8


def _with_plan_options(function: Any) -> Any:
    for add in reversed(OPTIONS):
        function = add(function)
    return function


@click.command(
    "transfer", epilog="Example: logbench transfer ecvc --source hdfs-sim --target hdfs --target-units 0,100"
)
@click.argument("model", shell_complete=completion.model)
@click.option("--source", required=True, shell_complete=completion.dataset, metavar="NAME",
              help="Data set that trains, split by its protocol.")  # fmt: skip
@click.option("--source-data", type=click.Path(path_type=Path), help="File or folder with its raw data.")
@click.option("--target", required=True, shell_complete=completion.dataset, metavar="A,B,…",
              help="Data sets to test on, whole.")  # fmt: skip
@click.option("--target-data", type=click.Path(path_type=Path), multiple=True,
              help="File or folder with the raw data of a target (repeatable, in their order).")  # fmt: skip
@click.option("--target-units", default="0", show_default=True, metavar="N,N,…",
              help="Units of the target, unlabelled and not tested: half train, half are held out.")  # fmt: skip
@click.option("--match", type=click.Choice(["exact", "embedding"]), default="exact", show_default=True,
              help="How texts of the target find their template: by the parser alone, or an unseen one by the "
                   "embedding, too.")  # fmt: skip
@click.option("--similarity", type=click.FloatRange(min=0, min_open=True, max=1), default=SIMILARITY,
              show_default=True, help="Cosine similarity from which on the embedding matches.")  # fmt: skip
@_with_plan_options
@with_study_options
@track_option
@limit_options
@format_option
@json_option
@pass_state
def command(state: State, model: str, source: str, target: str, **options: Any) -> int:
    """Train on one data set and test on others.

    Parser, model and threshold are of the source; with --target-units the threshold is of the held-out half of
    these units, whose labels nobody sees. All rows of a target test the same units. A row "alone" has the same
    units of the target without the source: only what is above it was carried over.
    """
    from ..studies.transfer import targets_of, transfer, units_of

    shown, as_json = shown_as(options["form"], options["as_json"]), options["as_json"]
    targets, units = targets_of(target, options["target_data"]), units_of(options["target_units"])
    fields = shared_fields({**options, "dataset": targets[0].name, "data": None})
    fields |= {"source": source, "source_data": options["source_data"]}
    if options["match"] == "embedding":
        protocol = {**fields["settings"].get("protocol", {}), "template_match": options["similarity"]}
        fields["settings"] = {**fields["settings"], "protocol": protocol}
    request = ModelsRequest(
        models=(state.registry.get("model", model).address,),
        fields=fields,
        command=state.command,
        seeds=range(options["seeds"] or 1),
        splits=split_seeds_of(options["split_seed"], options["split_seeds"]),
        stochastic_only=True,
    )
    with state.workbench(options, jobs=options["jobs"], resume=options["resume"]) as bench:
        rows = list(transfer(request, targets, units, options["metric"], bench))
    good = [row for row in rows if "skipped" not in row]
    if as_json:
        print_json(rows)
    elif good:
        _show(good, f"{model}, trained on {source}", options["metric"], shown)
    note_skipped(rows, "row")
    return 0 if good else 2


def _show(rows: Sequence[Mapping[str, Any]], what: str, metric: str, shown: Shown) -> None:
    better = "" if rows[0]["way"] == "higher" else ", lower is better"
    shown.say(f"{metric} of {what}{better}")
    shown.say()
    digits = digits_of([row["value"] for row in rows], most=3)
    shown.table([_cells(row, metric, digits) for row in rows], drop=("best rule", "tested", "95% interval"))
    shown.say()
    first: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        if not row["alone"]:
            first.setdefault(row["target"], row)
    for row in first.values():
        passed = row["passed"]
        known = passed["same"] + passed["parsed"] + passed["near"]
        shown.say(
            f"{row['target']}, {several(row['units'], 'unit')}: {known:,} of "
            f"{several(passed['messages'], 'distinct message')} known ({passed['same']:,} word for word, "
            f"{passed['parsed']:,} by the parser, {passed['near']:,} by the embedding), {passed['unseen']:,} "
            f"unseen, in {passed['events_unseen']:,} of {several(passed['events'], 'event')}"
        )


def _cells(row: Mapping[str, Any], metric: str, digits: int) -> dict[str, str]:
    return {
        "target": row["target"],
        "units": f"{row['units']:,}{' alone' if row['alone'] else ''}",
        "tested": f"{row['tested']:,}",
        **value_cells(row, metric, digits),
        "unseen": f"{row['passed']['unseen']:,}",
        **rule_cells(row, digits),
    }
