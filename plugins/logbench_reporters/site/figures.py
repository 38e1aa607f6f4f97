"""Figures of a data set's page beside its ranks: those of the report, each with what it does not tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from logbench import DataError

from ..report.figures.by_slice import by_slice
from ..report.figures.disturbed import disturbance, disturbed
from ..report.figures.each_model import each_model
from ..report.figures.transferred import transferred
from ..report.on_call import EVALUATORS, MOST_LINES, of_units

if TYPE_CHECKING:
    from ..report.figures.figure import Figure
    from .board import Board, Record, Table

# Beginning of a figure's name → what it does not tell, and its description does not say.
LIMITS: Mapping[str, str] = {
    "by-slice": "A slice is small, so that one verdict moves it: read a fall that lasts, not a dent.",
    "disturbed-": "Doses are drawn evenly; real faults come under load, with the anomalies, and cost more.",
    "transfer-": "One pair is one pair; without units of the target, what is unseen alarms, as the rule does.",
    "price-curve": "A line is of the threshold in force, which other prices would move; prices differ by anomaly.",
    "budget-curve": "It is a mean: alarms of a quiet week may come in one hour.",
    "first-alarm": "Events are not minutes, and false alarms are not in it: who always alarms is first.",
    "types": "False alarms are not in it, nor types that the data do not have.",
    "reliability": "A model can be reliable and useless: one that always says the share of anomalies is.",
}


def limit_of(figure: Figure) -> str:
    """What a figure does not tell."""
    return next(said for name, said in LIMITS.items() if figure.name.startswith(name))


def figures_of(board: Board, data: str) -> dict[str, list[Figure]]:
    """Protocol → figures of the data set's table under it; those of several protocols or targets stand once.

    They stand by the table without a disturbance, if there is one.
    """
    every = [run for table in board.tables for run in table.newest]
    found: dict[str, list[Figure]] = {}
    drawn: list[Figure] = []
    for table in sorted(board.of_data(data), key=_disturbed):
        firsts = _firsts(table)
        across = [
            figure
            for draw in (disturbed, transferred)
            for figure in each_model(draw, every, table.newest, list(firsts), table.metric, table.lower)
            if figure not in drawn
        ]
        drawn += across
        slices = by_slice(list(firsts.values()), table.first["dataset"].get("unit", "unit"), table.metric)
        alarms = [] if _disturbed(table) else _on_call(board, list(firsts.values()))
        found[table.protocol] = [one for one in (slices, *across, *alarms) if one is not None]
    return found


def _disturbed(table: Table) -> bool:
    return bool(disturbance({"protocol": table.fields})[0])


def _firsts(table: Table) -> dict[str, Record]:
    """Model → its first run that worked, of its best row; the best model first."""
    found: dict[str, Record] = {}
    for entry in table.entries:
        if entry.value is not None:
            found.setdefault(entry.model, next(run for run in entry.runs if run["status"] == "ok"))
    return found


def _on_call(board: Board, firsts: Sequence[Record]) -> list[Figure]:
    """Those that a run was asked for, by the options of the best one that was; none where no scores are left."""
    runs = [run for run in firsts[:MOST_LINES] if EVALUATORS & {*run["config"].get("evaluators", {})}]
    asked = {name: of for run in reversed(runs) for name, of in run["config"]["evaluators"].items()}
    known = []
    for run in runs:
        try:
            known.append((run["model"], board.folders[run["run_id"]].units(run)))
        except DataError:
            continue
    return of_units([one for one in known if len(one[1])], asked)
