"""Rules for windowers: they add a unit to each line and change nothing else."""

from __future__ import annotations

from typing import Any

import polars as pl

from ..base.errors import ConfigError, IncompatibleError
from . import material
from .outcome import InapplicableError, ViolationError, expect
from .rule import Subject, rule
from .side_effects import watched


def assign(subject: Subject, lines: pl.DataFrame) -> pl.DataFrame:
    """Build the windower and assign units to these lines."""
    actual = subject.build().assign(lines.lazy())
    expect(isinstance(actual, pl.LazyFrame), "assign to return a LazyFrame", type(actual).__name__)
    frame: pl.DataFrame = actual.collect()
    return frame


def seen() -> pl.DataFrame:
    """Lines as a windower sees them in a run, without labels and raw text, plus one extra column."""
    return material.lines().drop("label", "raw").with_columns(extra=pl.int_range(pl.len()) * 3)


def _assigned(subject: Subject) -> pl.DataFrame:
    return subject.cached("assigned", lambda: assign(subject, seen()))


@rule("windower", "runs", "assign adds the column unit, texts")
def runs(subject: Subject) -> None:
    try:
        actual = _assigned(subject)
    except (ConfigError, IncompatibleError) as error:
        subject.broken = True
        raise InapplicableError(f"the lines of the check do not serve it: {error}") from None
    expect(actual.schema.get("unit") == pl.String, "column unit of type String", str(actual.schema.get("unit")))
    expect(actual["unit"].null_count() < len(actual), "a unit for some line", "none for any")


@rule("windower", "columns", "every other column is kept as it was")
def columns(subject: Subject) -> None:
    given, actual = seen(), _assigned(subject)
    missing = [name for name in given.columns if name not in actual.columns]
    expect(not missing, "every column of the lines", f"no {', '.join(missing)}")
    one_each = actual.unique("line", keep="first", maintain_order=True)
    for name, dtype in given.schema.items():
        expect(actual.schema[name] == dtype, f"column {name} of type {dtype}", str(actual.schema[name]))
        before = given.join(one_each.select("line"), on="line", how="semi", maintain_order="left")
        same = before[name].equals(one_each[name], check_names=False, null_equal=True)
        expect(same, f"the values of column {name} as they were", "others")


@rule("windower", "lines", "no line is dropped; a line without a unit has a null unit")
def lines(subject: Subject) -> None:
    given, actual = seen()["line"], _assigned(subject)["line"]
    lost = given.filter(~given.is_in(actual.implode())).to_list()
    expect(not lost, f"all {len(given)} lines", f"{len(lost)} are missing, first line {lost[0] if lost else ''}")


@rule("windower", "order", "the order of lines stays")
def order(subject: Subject) -> None:
    actual = _assigned(subject)["line"].cast(pl.Int64)
    back = (actual.diff().drop_nulls() < 0).arg_true().to_list()
    if back:
        raise ViolationError("line numbers that never go back", f"{actual[back[0] + 1]} after {actual[back[0]]}")


@rule("windower", "once", "a line occurs once for each of its units")
def once(subject: Subject) -> None:
    twice = _assigned(subject).select("line", "unit").filter(pl.struct("line", "unit").is_duplicated())
    expect(not len(twice), "each line once a unit", f"line {twice['line'][0] if len(twice) else ''} twice")


@rule("windower", "same", "the same lines get the same units, also in a stream of batches")
def same(subject: Subject) -> None:
    first = _assigned(subject)
    expect(first.equals(assign(subject, seen())), "the same units once more", "others")
    batches: list[Any] = list(
        subject.build().assign(seen().lazy()).collect_batches(chunk_size=7, maintain_order=True)
    )
    expect(first.equals(pl.concat(batches)), "the same units batch by batch", "others")


@rule("windower", "empty", "assign accepts no lines")
def empty(subject: Subject) -> None:
    actual = assign(subject, seen().clear())
    expect(
        actual.schema.get("unit") == pl.String and not len(actual), "no row, column unit", f"{len(actual)} rows"
    )


@rule("windower", "files", "nothing is written or printed")
def files(subject: Subject) -> None:
    with watched(subject.fresh("watched")) as watch:
        assign(subject, seen())
    expect(not watch.faults, "no files and no prints", watch.faults)
