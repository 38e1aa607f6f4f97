"""`logbench models`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from ..api.components import ModelComponent
from ..api.model_card import LEVELS
from ..api.plan import Plan
from ..base.cells import clipped, columns_of, padded
from ..components.model_cards import card_of
from ..components.requirements import missing
from . import State, completion, pass_state
from .models_info import ablation_text, info_text
from .shared_options import (
    NARROW,
    executor_option,
    jobs_option,
    json_option,
    limit_options,
    plan_fields,
    print_json,
    resume_option,
    with_plan_options,
)
from .tracking import track_option

COLUMNS = ("name", "supervision", "parameters", "faithful", "needs")


@click.group("models", epilog="Example: logbench models info deeplog")
def command() -> None:
    """List models, show their cards, measure their parts."""


@command.command("list", epilog="Example: logbench models list")
@json_option
@pass_state
def list_(state: State, as_json: bool) -> None:
    """List models, with supervision and what they need.

    Also how much is shown to be faithful.
    Column `parameters` is of the first network on the card; `faithful` counts the levels that tests show.
    A model with a * trains for long: a leaderboard of all models leaves it out. How many seconds a model takes
    hangs on machine and data, so it is measured with its figures: see the table `cost` of `logbench leaderboard`.
    """
    rows = [_facts(entry.item) for _, entry in sorted(state.registry.components["model"].items())]
    if as_json:
        print_json(rows)
    else:
        print("\n".join(_aligned([COLUMNS, *map(_listed, rows)])))


def _facts(item: ModelComponent[Any]) -> dict[str, Any]:
    card = card_of(item)
    return {
        "name": item.name,
        "summary": item.summary,
        "aliases": item.aliases,
        "supervision": item.traits.supervision,
        "needs": sorted(item.traits.needs),
        "heavy": item.traits.heavy,
        "requires": item.requires,
        "missing": missing(item.requires),
        "options": item.config is not None,
        "card": None if card is None else dataclasses.asdict(card),
    }


def _listed(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The cells of `COLUMNS`."""
    card = row["card"] or {"parameters": (), "faithful": ()}
    count = next((f"{one['count']:,}" for one in card["parameters"]), "")
    levels = f"{len(card['faithful'])} of {len(LEVELS)}" if card["faithful"] else ""
    name = f"{row['name']} *" if row["heavy"] else row["name"]
    return name, row["supervision"], count, levels, ", ".join(row["needs"])


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows with their cells below each other, cut at `NARROW`."""
    widths = [max(map(columns_of, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
        yield line if columns_of(line) <= NARROW else f"{clipped(line, NARROW - 1)}…"


@command.command("info", epilog="Example: logbench models info deeplog")
@click.argument("name", shell_complete=completion.model)
@json_option
@pass_state
def info(state: State, name: str, as_json: bool) -> None:
    """Show a model's card.

    It has the source, reference code, what differs, tests of faithfulness and published figures.

    An ablation is a part switched off by the settings that stand beside it.
    """
    item = state.registry.get("model", name).item
    if as_json:
        print_json([_facts(item)])
    else:
        print(info_text(item, card_of(item)))


@command.command("ablate", epilog="Example: logbench models ablate logrobust --dataset hdfs --seeds 3")
@click.argument("name", shell_complete=completion.model)
@with_plan_options
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True, metavar="N",
              help="Seeds 0 … N − 1 of a stochastic model.")  # fmt: skip
@click.option("--metric", default="f1", show_default=True, help="f1, precision, recall or mcc.")
@jobs_option
@executor_option
@resume_option
@track_option
@limit_options
@json_option
@pass_state
def ablate(state: State, name: str, **options: Any) -> int:
    """Show what each part of a model adds.

    Runs the model as it is and with each part on its card switched off.

    A difference is that of the same test units and seed; its 95% interval is over units and seeds. Where it
    includes 0, the part changes nothing that these data could show.
    """
    from ..studies.ablation import ablate as rows_of

    plan = Plan(model=name, command=state.command, **plan_fields(options))
    with state.workbench(options, jobs=options["jobs"], resume=options["resume"]) as bench:
        rows = list(rows_of(plan, range(options["seeds"]), options["metric"], bench))
    if options["as_json"]:
        print_json([_flat(row, options["metric"]) for row in rows])
    else:
        print(ablation_text(rows, options["metric"]))
    return 0 if any("skipped" not in row for row in rows[1:]) else 2


def _flat(row: Mapping[str, Any], metric: str) -> dict[str, Any]:
    """A row of `ablate` as JSON: `f1`, `f1_low`, `f1_high`, `difference`, …; `changes_nothing`."""
    found = {name: row[name] for name in ("part", "settings", "runs", "skipped") if name in row}
    for name, of in ((metric, row.get("value")), ("difference", row.get("difference"))):
        if of is not None:
            found |= {name: of.mean, f"{name}_low": of.low, f"{name}_high": of.high}
    if row.get("difference") is not None:
        found["changes_nothing"] = row["difference"].holds_zero
    return found
