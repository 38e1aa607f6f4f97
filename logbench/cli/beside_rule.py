"""What commands share that set a model beside the best rule: their options, cells of a row, and rows left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click

from ..base.jsonable import several
from .shared_options import note, seed_options

F = TypeVar("F", bound=Callable[..., Any])

OPTIONS = (
    click.option("--metric", default="f1", show_default=True,
                 help="Metric to show: one of the headline, or EVALUATOR.METRIC such as cost.cost."),
    *seed_options[:2],
    click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, metavar="N",
                 help="Number of parallel runs."),
    click.option("--resume/--fresh", default=True, show_default=True,
                 help="Reuse runs in --out with the same plan, data and code, or run all again."),
)  # fmt: skip


def with_study_options(function: F) -> F:
    """Add `--metric`, seeds, `--jobs` and `--resume`."""
    for add in reversed(OPTIONS):
        function = add(function)
    return function


def value_cells(row: Mapping[str, Any], metric: str, digits: int) -> dict[str, str]:
    """A model's mean and its interval."""
    low, high = row["low"], row["high"]
    return {
        metric: f"{row['value']:,.{digits}f}",
        "95% interval": "–" if low is None else f"{low:,.{digits}f} – {high:,.{digits}f}",
    }


def rule_cells(row: Mapping[str, Any], digits: int) -> dict[str, str]:
    """The best rule, with a star where it is better than the model."""
    rule = row["rule_value"]
    return {
        "rule": "–" if rule is None else f"{rule:,.{digits}f}{'*' * row['under']}",
        "best rule": (row["rule"] or "–").replace("_", " "),
    }


def note_skipped(rows: Sequence[Mapping[str, Any]], what: str) -> None:
    """Say how many rows have no figure, and why. `what` names a row."""
    for reason in dict.fromkeys(row["skipped"] for row in rows if "skipped" in row):
        count = sum(row.get("skipped") == reason for row in rows)
        note(f"{count} of {several(len(rows), what)} skipped: {reason}")
