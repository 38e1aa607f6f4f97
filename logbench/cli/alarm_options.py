"""Options of commands that make alarms."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from ..evaluation.alarm_rates import AlarmRate

F = TypeVar("F", bound=Callable[..., Any])
# Days of the words that a budget may be given by.
DAYS = {"hour": 1 / 24, "day": 1.0, "week": 7.0}


def share(context: click.Context, option: click.Parameter, value: str | None) -> float | None:
    """A share above 0, at most 1, of a text such as `0.1%` or `0.001`."""
    if value is None:
        return None
    found = re.fullmatch(r"([0-9]*\.?[0-9]+(?:[eE]-?[0-9]+)?)\s*(%?)", value.strip())
    read = float(found[1]) / (100 if found[2] else 1) if found else 0.0
    if not 0 < read <= 1:
        raise click.BadParameter(f"{value!r} is no share: give one above 0, such as 0.1% or 0.001")
    return read


def a_day(context: click.Context, option: click.Parameter, value: str | None) -> float | None:
    """Alarms a day, of a text such as `20/day`, `1/hour` or `50/week`."""
    if value is None:
        return None
    found = re.fullmatch(r"([0-9]*\.?[0-9]+)\s*(?:/\s*(hour|day|week)s?)?", value.strip())
    if not found or not float(found[1]) > 0:
        raise click.BadParameter(f"{value!r} is no budget: give alarms a time, such as 20/day, 1/hour or 50/week")
    return float(found[1]) / DAYS[found[2] or "day"]


rate_options: Sequence[Callable[[F], F]] = (
    click.option("--threshold", type=float, metavar="X", help="Alarm above this score."),
    click.option("--rate", callback=share, metavar="SHARE",
                 help="Alarm by the threshold under which this share of known units alarms, such as 0.1%."),
    click.option("--budget", callback=a_day, metavar="N/day",
                 help="Alarm by the threshold under which known units alarm so often, such as 20/day."),
    click.option("--incidents", is_flag=True, help="Show incidents in place of alarms, see --incident-gap."),
    click.option("--incident-gap", type=click.FloatRange(min=0), default=300.0, show_default=True,
                 metavar="SECONDS",
                 help="Alarms no further apart, of one template or node, are one incident."),
)  # fmt: skip
keeping_options: Sequence[Callable[[F], F]] = (
    click.option("--only-new", is_flag=True, help="Tell only alarms that no call with this --state told before."),
    click.option("--state", "state_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
                 help="Go on where the last call with this file ended: alarms, threshold, open sessions."),
    click.option("--close", is_flag=True,
                 help="With --state: score sessions that are open at the end of standard input."),
    click.option("--alarms", "alarms_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
                 help="Append each alarm to this file as a line of JSON."),
    click.option("--webhook", metavar="URL", envvar="LOGBENCH_WEBHOOK", show_envvar=True,
                 help="Send alarms to this address as JSON, by POST."),
    click.option("--prometheus", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
                 help="Write figures for node_exporter's textfile collector to this file, NAME.prom."),
)  # fmt: skip


def with_options(options: Sequence[Callable[[F], F]]) -> Callable[[F], F]:
    """Add options to a command."""

    def add_all(function: F) -> F:
        for add in reversed(options):
            function = add(function)
        return function

    return add_all


def rate_of(threshold: float | None, rate: float | None, budget: float | None) -> AlarmRate:
    """How many alarms are asked for.

    Raises:
        UsageError: more than one of them is given.
    """
    from ..evaluation.alarm_rates import AlarmRate

    if sum(value is not None for value in (threshold, rate, budget)) > 1:
        raise click.UsageError("--threshold, --rate and --budget exclude each other")
    return AlarmRate(threshold, rate, budget)
