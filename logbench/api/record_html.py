"""Records for people who look at them in a notebook: one row a run, everything escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..base.escapes import escaped
from ..base.jsonable import four_digits

# Columns of metrics, where a record has them.
SHOWN = ("f1", "precision", "recall", "mcc", "auprc")


def figures_of(record: Mapping[str, Any]) -> Mapping[str, float | None]:
    """Metrics of all units by the name of the unit (`session`); empty where there are none.

    Args:
        record: fields of a `RunRecord`.
    """
    found: Any = record["metrics"].get(str(record["dataset"].get("unit")), {})
    return found.get("all") or {}


def table(records: Iterable[Mapping[str, Any]]) -> str:
    """An HTML table of records, each as the fields of a `RunRecord`."""
    rows = [_row(record) for record in records]
    names = ("model", "data set", "preset", "seed", "status", *SHOWN)
    head = "".join(f"<th>{escaped(name, 'html')}</th>" for name in names)
    body = "".join("<tr>" + "".join(f"<td>{escaped(cell, 'html')}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row(record: Mapping[str, Any]) -> list[str]:
    figures, error = figures_of(record), record["error"]
    status = record["status"] if error is None else f"{record['status']}: {error['message']}"
    cells = [
        record["model"],
        str(record["dataset"].get("name", "")),
        record["preset"],
        str(record["seed"]),
        status,
    ]
    return [*cells, *(_number(figures.get(name)) for name in SHOWN)]


def _number(value: float | None) -> str:
    return "–" if value is None else four_digits(float(value))
