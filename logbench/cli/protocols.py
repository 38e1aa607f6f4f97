"""`logbench protocols`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

import click

from ..api.plan import Plan
from ..api.protocol import Train
from ..base.errors import PluginError
from ..base.failure import ReportedError
from ..base.jsonable import several
from ..evaluation.metrics import pick
from ..running.resolve import resolve
from . import State, completion, pass_state
from .shared_options import (
    json_option,
    note,
    plan_fields,
    print_json,
    threshold_text,
    with_plan_options,
)
from .shown import Shown, format_option, shown_as

if TYPE_CHECKING:
    from ..api.plan import Plan


@click.command("protocols", epilog="Example: logbench protocols deeplog --dataset hdfs-sim --train first,random")
@click.argument("model", shell_complete=completion.model)
@with_plan_options
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the model.")
@click.option("--train", metavar="KIND,KIND", help="Also vary protocol.train, one training each: first,random.")
@format_option
@json_option
@pass_state
def command(
    state: State, model: str, seed: int, train: str | None, form: str, as_json: bool, **options: Any
) -> int:
    """Show one trained model under many protocols.

    These are all choices of short, unseen, threshold and duplicates.

    Each row also has the rule *unseen key or short session*, which needs no model, and the difference. Nothing is
    recorded.
    """
    from ..studies.protocol_grid import rows_of

    shown = shown_as(form, as_json)
    kinds: list[Any] = [kind.strip() for kind in train.split(",")] if train else [None]
    for kind in kinds:
        if kind is not None and kind not in get_args(Train):
            raise click.UsageError(f"--train {kind}: choose of {', '.join(get_args(Train))}")
    plan = Plan(model=model, dataset=options["dataset"], seed=seed, **_rest(options))
    resolved = resolve(plan, state.registry)
    plans = [_training(plan, kind) for kind in kinds]
    rows: list[dict[str, Any]] = []
    with state.workbench({}) as bench:
        for _, answer in bench.map(rows_of, plans):
            if isinstance(answer, ReportedError) and "stage" in answer.facts:
                raise PluginError(f"{model}: {answer} (stage {answer.facts['stage']})")
            if isinstance(answer, BaseException):
                raise answer
            rows += answer
            if as_json:
                print_json(answer)
    if not as_json:
        _show(rows, resolved.card.simulated, shown)
    return 0


def _training(plan: Plan, kind: str | None) -> Plan:
    """The plan with another `protocol.train`."""
    if kind is None:
        return plan
    protocol = {**plan.settings.get("protocol", {}), "train": kind}
    return replace(plan, settings={**plan.settings, "protocol": protocol})


def _rest(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in plan_fields(options).items() if name != "dataset"}


def _show(rows: list[dict[str, Any]], simulated: bool, shown: Shown) -> None:
    first = rows[0]
    marked = " (SIMULATED: never set against published figures)" if simulated else ""
    shown.say(f"{first['model']}, seed {first['seed']}, on {first['dataset']}{marked}")
    protocol = first["protocol"]
    shown.say(f"short: < {first['short_limit']} events; split seed {protocol['split_seed']}")
    shown.say()
    kinds = {row["protocol"]["train"] for row in rows}
    shown.table(
        [_row(row) for row in rows if "skipped" not in row],
        drop=("train", "value", "precision", "recall") if len(kinds) < 2 else ("value", "precision", "recall"),
    )
    for reason in dict.fromkeys(row["skipped"] for row in rows if "skipped" in row):
        count = sum(row.get("skipped") == reason for row in rows)
        note(f"{several(count, 'choice')} skipped: {reason}")


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    protocol, metrics = row["protocol"], row["metrics"]
    return {
        **{name: protocol[name] for name in ("train", "short", "unseen", "duplicates", "threshold")},
        "value": threshold_text(row["threshold"]),
        **{name: pick(metrics, name, "protocols") for name in ("precision", "recall", "f1")},
        "rule f1": row["trivial"]["unseen_or_short"]["f1"],
        "difference": row["difference"],
    }
