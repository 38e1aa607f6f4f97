"""`logbench models`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from ..api.components import ModelComponent
from ..api.model_card import LEVELS
from ..components.model_cards import card_of
from ..components.requirements import missing
from . import State, pass_state
from .models_info import WIDTH, info_text
from .shared_options import json_option, print_json

COLUMNS = ("name", "supervision", "parameters", "faithful", "needs")


@click.group("models", epilog="Example: logbench models info deeplog")
def command() -> None:
    """List models and show their cards."""


@command.command("list", epilog="Example: logbench models list")
@json_option
@pass_state
def list_(state: State, as_json: bool) -> None:
    """List models with their supervision, what they need beside keys, and how much is shown to be faithful.

    Column `parameters` is of the first network on the card; `faithful` counts the levels that tests show.
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
    return row["name"], row["supervision"], count, levels, ", ".join(row["needs"])


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows with their cells below each other, cut at `WIDTH`."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        yield line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"


@command.command("info", epilog="Example: logbench models info deeplog")
@click.argument("name")
@json_option
@pass_state
def info(state: State, name: str, as_json: bool) -> None:
    """Show a model's card: source, reference code, what differs, tests of faithfulness, published figures.

    An ablation is a part switched off by the settings that stand beside it.
    """
    item = state.registry.get("model", name).item
    if as_json:
        print_json([_facts(item)])
    else:
        print(info_text(item, card_of(item)))
