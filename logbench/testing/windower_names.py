"""Rules for windowers: two units never share a name, and a piece of an id leads to its id."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ..api.optional_windowers import NamesLabels
from ..pipeline.coded_lines import id_column_of
from . import material
from .outcome import InapplicableError, ViolationError, expect
from .rule import Subject, rule
from .windower import assign, seen
from .windower_pieces import partition

LINES = 3_001
# Seconds between lines, for a log of half a day and one of nearly two years.
SPACINGS = {"17 s": 17, "5 h": 18_000}
ALIKE = ("blk_-7", "blk_7", "Blk_7", "blk_07", "blk_7.0", "blk_7 ")
LONG = tuple(f"{'x' * 70}{number}" for number in range(6))


@rule("windower", "whole", "a window is one stretch of lines; its name is not used again")
def whole(subject: Subject) -> None:
    """Uses a log of one node and one file with increasing times, so that only positions can make units."""
    if not subject.traits.line_windows:
        raise InapplicableError("traits.line_windows is false")
    first = ("level", "component", "node", "file", "id")
    lines = material.lines(LINES).drop("label", "raw").with_columns(pl.col(*first).first())
    for spacing, seconds in SPACINGS.items():
        since = pl.duration(seconds=pl.col("line").cast(pl.Int64) * seconds)
        later = lines.with_columns(time=pl.col("time").first() + since)
        units = assign(subject, later).drop_nulls("unit").group_by("unit", maintain_order=True)
        line = pl.col("line").cast(pl.Int64)
        found = units.agg(first=line.min(), last=line.max(), count=line.n_unique())
        apart = found.filter(pl.col("last") - pl.col("first") + 1 != pl.col("count"))
        if len(apart):
            unit, begin, end, count = apart.row(0)
            raise ViolationError(
                f"one stretch of lines a unit, in a log with a line every {spacing}",
                f"unit {unit!r} has {count} of the lines {begin} to {end}",
            )


@rule("windower", "names", "different names lead to different units, however similar the names are", advises=True)
def names(subject: Subject) -> None:
    given = seen()
    before = partition(assign(subject, given))
    for names in (ALIKE, LONG):
        after = partition(assign(subject, _renamed(given, names)))
        expect(
            before == after,
            "the same lines in one unit where ids, nodes and files have other names",
            f"{len(after)} units instead of {len(before)}, under names such as {names[0]!r} and {names[1]!r}",
        )


@rule("windower", "label-of", "label_of gives, of a unit's name alone, an id that all of its lines name")
def label_of(subject: Subject) -> None:
    windower = subject.build()
    if not isinstance(windower, NamesLabels):
        raise InapplicableError("it has no label_of(unit)")
    assigned = assign(subject, seen()).drop_nulls("unit")
    ids = {unit: windower.label_of(unit) for unit in assigned["unit"].unique()}
    wrong = {unit: name for unit, name in ids.items() if not isinstance(name, str)}
    expect(not wrong, "an id, a text", str(wrong))
    named = pl.col("unit").replace_strict(ids, return_dtype=pl.String)
    texts = pl.concat_str("message", "node", "file", "component", separator=" ", ignore_nulls=True)
    shown = pl.col("id").list.contains(named).fill_null(value=False) | texts.str.contains(named, literal=True)
    strange = assigned.filter(~shown)
    unit = strange["unit"][0] if len(strange) else ""
    expect(not len(strange), "an id that the lines of the unit name", f"{ids.get(unit)!r} for unit {unit!r}")


@rule("windower", "id-column", "units are the distinct values of the column that id_column names")
def id_column(subject: Subject) -> None:
    name, given = id_column_of(subject.build()), seen()
    if not name:
        raise InapplicableError("it names no id_column")
    expect(name in given.columns, f"one of the columns {', '.join(given.columns)}", repr(name))
    values = given[name] if given[name].dtype == pl.List else given.select(pl.concat_list(name))[name]
    each = given.select("line", unit=values.list.unique(maintain_order=True))
    wanted = each.explode("unit", empty_as_null=True)
    same = assign(subject, given).select("line", "unit").equals(wanted)
    expect(same, f"each line once for each distinct value of {name}, in order", "other units")


def _renamed(given: pl.DataFrame, names: tuple[str, ...]) -> pl.DataFrame:
    """Rename every id, node, file and component, each to a name of its own."""

    def others(known: pl.Series) -> Mapping[str, str]:
        return dict(zip(known.drop_nulls().unique(maintain_order=True), names, strict=False))

    ids = others(given["id"].explode())
    columns = [pl.col(name).replace_strict(others(given[name])) for name in ("node", "file", "component")]
    return given.with_columns(pl.col("id").list.eval(pl.element().replace_strict(ids)), *columns)
