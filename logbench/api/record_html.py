"""Records for people who look at them in a notebook: one row a run, everything escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..base.jsonable import four_digits

if TYPE_CHECKING:
    from .record import RunRecord

# Columns of metrics, where a record has them.
SHOWN = ("f1", "precision", "recall", "mcc", "auprc")


def figures_of(record: RunRecord) -> Mapping[str, float | None]:
    """Metrics of all units by the name of the unit (`session`); empty where there are none."""
    found: Any = record.metrics.get(str(record.dataset.get("unit")), {})
    return found.get("all") or {}


def table(records: Iterable[RunRecord]) -> str:
    """An HTML table of records."""
    rows = [_row(record) for record in records]
    names = ("model", "data set", "preset", "seed", "status", *SHOWN)
    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row(record: RunRecord) -> list[str]:
    figures = figures_of(record)
    status = record.status if record.error is None else f"{record.status}: {record.error['message']}"
    cells = [record.model, str(record.dataset.get("name", "")), record.preset, str(record.seed), status]
    return [*cells, *(_number(figures.get(name)) for name in SHOWN)]


def _number(value: float | None) -> str:
    return "–" if value is None else four_digits(float(value))


class RunRecords(list["RunRecord"]):
    """The records of several runs: a list that a notebook shows as a table."""

    def _repr_html_(self) -> str:
        return table(self)
