"""`--cost fp=1,fn=50`: prices of errors, for the evaluators that take them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from ..base.errors import ConfigError

if TYPE_CHECKING:
    from ..components.registry import Registry


def _prices(ctx: click.Context, parameter: click.Parameter, text: str | None) -> dict[str, float]:
    """Name → price.

    Raises:
        BadParameter: a part is no `NAME=NUMBER`, or one is below 0 or named twice.
    """
    found: dict[str, float] = {}
    for part in text.split(",") if text is not None else ():
        name, _, number = (word.strip() for word in part.partition("="))
        try:
            price = float(number)
        except ValueError:
            price = math.nan
        if not name or not 0 <= price < math.inf:
            raise click.BadParameter(f"{part!r} is no price; give prices from 0 such as fp=1,fn=50")
        if name in found:
            raise click.BadParameter(f"{name} has two prices; give one")
        found[name] = price
    return found


cost_option = click.option(
    "--cost", "prices", callback=_prices, metavar="NAME=PRICE,…",
    help="Prices of errors, as in fp=1,fn=50 (false alarms, missed anomalies); adds the evaluator that has them.",
)  # fmt: skip


def priced(options: Mapping[str, Any], registry: Registry, defaults: bool = True) -> dict[str, Any]:
    """The options of a command with the evaluators that `--cost` asks for, and their prices as settings.

    Args:
        defaults: without `--evaluator` the command has the default ones, which then are named.

    Raises:
        ConfigError: no evaluator has such a price.
    """
    options, prices = dict(options), options["prices"]
    if not prices:
        return options
    offered = registry.components["evaluator"]
    taking = {name: entry.item.prices for name, entry in offered.items() if entry.item.prices}
    known = dict.fromkeys(price for each in taking.values() for price in each)
    if unknown := [name for name in prices if name not in known]:
        raise ConfigError(f"--cost {unknown[0]}: no evaluator has it; there is {', '.join(known) or 'none'}")
    asked = {name: each for name, each in taking.items() if set(each) & set(prices)}
    usual = [name for name, entry in offered.items() if entry.item.default] if defaults else []
    named = [*(options["evaluators"] or usual), *asked]
    pairs = [(name, price) for name, each in asked.items() for price in each if price in prices]
    settings = [f"{name}.{price}={prices[price]!r}" for name, price in pairs]
    return {**options, "evaluators": tuple(dict.fromkeys(named)), "settings": (*options["settings"], *settings)}
