"""A published table beside our figures, cell by cell, and why they differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from ..api.components import Published, Table
from ..api.plan import Plan
from ..api.record_sections import Record
from ..base.errors import ConfigError
from ..evaluation.cells import METRICS
from ..evaluation.intervals import interval
from ..evaluation.metrics import figure, figures, loss, ways
from ..running.resolve import resolve
from .compare import headline_units
from .leaderboard import Leaderboard
from .workbench import Workbench

Cell = dict[str, Any]


def reproduce(
    table: Table,
    plan: Plan,
    only: Sequence[str],
    bench: Workbench,
) -> Iterator[tuple[Published, list[Cell], Record | None]]:
    """Run the rows of a table, each a run like any other; those that have a record already are taken over.

    Args:
        plan: where data, records and options come from; model, preset and settings are the table's, and what
            `plan` sets itself prevails.
        only: models to run; empty: all. bench: does the runs, and says whether those of `plan.out` are taken over.

    Yields:
        The row, its cells (`metric`, `published`, `ours`, `difference`, `within`, and where that is false `better`
        where the metric has a direction, `low` and `high`, ours where the normal units are a sample; or `why`
        there is none, `unknown` where no evaluator gives the metric) and the run's record.

    Raises:
        ConfigError: `only` names a model that is not in the table.
    """
    known = [row.model for row in table.rows]
    for name in only:
        if name not in known:
            raise ConfigError(f"table {table.name} has no row {name}; there is {', '.join(dict.fromkeys(known))}")
    rows = [row for row in table.rows if not only or row.model in only]
    plans = {at: plan_of(table, row, plan) for at, row in enumerate(rows) if not row.unknown}
    wrong = {at: row.unknown for at, row in enumerate(rows) if row.unknown}
    for at, own in plans.items():
        try:
            resolve(own, bench.registry)
        except ConfigError as error:
            wrong[at] = str(error)
    records = iter(_records([own for at, own in plans.items() if at not in wrong], bench))
    for at, row in enumerate(rows):
        if at in wrong:
            yield row, _without(row, wrong[at]), None
        else:
            record = next(records)
            yield row, list(_cells(row, record, table.tolerance, plan)), record


def _records(plans: Sequence[Plan], bench: Workbench) -> Iterator[Record]:
    if plans:
        board = Leaderboard(plans, bench, lenient=True)
        board.say_taken_over()
        yield from board.in_order()


def plan_of(table: Table, row: Published, plan: Plan) -> Plan:
    """The run of a row. What `plan` sets of the model of another row is no mistake, and is left aside."""
    settings: dict[str, dict[str, Any]] = {}
    for layer in (table.settings, row.settings, plan.settings):
        for name, values in layer.items():
            settings.setdefault(name, {}).update(values)
    others = tuple(dict.fromkeys(one.model for one in table.rows if one.model in plan.settings))
    return replace(plan, model=row.model, preset=row.preset or table.preset, settings=settings, companions=others)


def _without(row: Published, why: str) -> list[Cell]:
    return [{"metric": name, "published": value, "why": why} for name, value in row.metrics.items()]


def _cells(row: Published, record: Record, tolerance: float, plan: Plan) -> Iterator[Cell]:
    if record["status"] != "ok" or not figures(record):
        yield from _without(row, record["error"]["message"] if record["error"] else "its data have no labels")
        return
    scores = cache(lambda: headline_units(record, plan.out))
    for name, published in row.metrics.items():
        cell: Cell = {"metric": name, "published": published}
        try:
            ours = figure(record, name)
        except ConfigError as error:
            yield {**cell, "ours": None, "why": str(error), "unknown": True}
            continue
        if ours is None:
            yield {**cell, "ours": None, "why": f"{name} is undefined for these verdicts"}
            continue
        cell |= {"ours": ours, "difference": ours - published, "within": abs(ours - published) <= tolerance}
        if not cell["within"] and (way := ways(record).get(name)):
            cell["better"] = loss(way, published, ours) < 0
        if not cell["within"] and name in METRICS:
            found = interval(scores(), name, only="normal", by_sequence=False)
            if found.low != found.high:  # what normal units do not move, as recall, has nothing to say
                cell["low"], cell["high"] = found.low, found.high
        yield cell
