"""Rules for windowers: they take logs of any length and in pieces, and declare how they make units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from ..api.optional_windowers import HasSilence, Piecewise
from ..base.progress import silent
from ..data.lines import Lines
from ..pipeline.coding import given_of, read_lines
from . import material
from .fresh import in_fresh_process
from .outcome import InapplicableError, ViolationError, expect
from .parser_stub import Whole
from .rule import Subject, rule
from .windower import assign, seen

SIZES = (1, 61, 997, 3_001)
CUTS = (1, 8, 23, 30, 59)
# Gaps between lines, as shares of the silence after which a unit ends.
GAPS = (0.1, 0.4, 0.9, 1.1, 1.6, 3.0)


@rule("windower", "sizes", "logs of any length keep every line, also if times go back and fields are null")
def sizes(subject: Subject) -> None:
    """The harness's own reader raises a PluginError that names the fault."""
    for count in SIZES:
        for frame in (material.lines(count), _uneven(count)):
            lines = Lines(frame.drop("shape").lazy())
            given, parser = given_of(lines, Whole()), Whole()
            expect(given.total == count, f"{count} lines", str(given.total))
            read_lines(lines, subject.build(), parser, silent, times=False)


def _uneven(count: int) -> pl.DataFrame:
    """Lines with some times that go back and some fields that are null."""
    number = pl.int_range(pl.len())
    back = pl.when(number % 7 == 3).then(pl.duration(hours=5)).otherwise(pl.duration(hours=0))
    holes = [
        pl.when(number % (11 + n) == 4).then(None).otherwise(pl.col(name)).alias(name)
        for n, name in enumerate(("message", "level", "component", "node", "file", "id"))
    ]
    frame = material.lines(count).with_columns(time=pl.col("time") - back)
    if count > 1:
        frame = frame.with_columns(*holes, pl.when(number % 13 == 5).then(None).otherwise("time").alias("time"))
    return frame


@rule("windower", "labels", "labels are never looked at")
def labels(subject: Subject) -> None:
    given = seen()
    for number, label in enumerate((pl.lit(1), pl.int_range(pl.len()) % 2, (pl.int_range(pl.len()) % 9 == 4))):
        labelled = given.with_columns(label=label.cast(pl.Int8), raw=pl.format("{} {}", label, "message"))
        _same(assign(subject, given), assign(subject, labelled), f"the same units under labels {number + 1} of 3")


@rule("windower", "pieces", "a log read in pieces has the units of the whole log, or piecewise = False")
def pieces(subject: Subject) -> None:
    windower = subject.build()
    if isinstance(windower, Piecewise) and not windower.piecewise:
        raise InapplicableError("piecewise is False")
    given = seen()
    whole = assign(subject, given)
    for cut in CUTS:
        parts = pl.concat([assign(subject, part) for part in (given.head(cut), given.tail(-cut))])
        _same(whole, parts, f"the same units where the log is cut after line {cut}")


def _same(first: pl.DataFrame, second: pl.DataFrame, what: str) -> None:
    columns = ["line", "unit"]
    if first.select(columns).equals(second.select(columns)):
        return
    unlike = first.select(columns).join(second.select(columns), on=columns, how="anti", nulls_equal=True)
    line, unit = unlike.row(0) if len(unlike) else second.select(columns).row(0)
    raise ViolationError(what, f"{len(unlike)} lines have others, first line {line} which was in {unit!r}")


@rule("windower", "stretches", "units made by place or time alone are declared: traits.line_windows")
def stretches(subject: Subject) -> None:
    given = seen()
    order = np.random.default_rng(5).permutation(len(given))
    fixed = ["line", "time"]
    shuffled = given.select(*fixed, pl.all().exclude(fixed).gather(pl.Series(order)))
    before, after = partition(assign(subject, given)), partition(assign(subject, shuffled))
    alone = before == after and 1 < len(set(before)) < len(given)
    expect(
        not alone or bool(subject.traits.line_windows),
        "traits.line_windows=True, so that a chronological split cuts no unit",
        "False, and which lines are in one unit depends on their place or time alone",
    )


def partition(assigned: pl.DataFrame) -> Sequence[tuple[int, ...]]:
    """Lines of each unit, in order of first line."""
    units = assigned.drop_nulls("unit").group_by("unit", maintain_order=True).agg("line")
    return [tuple(lines) for lines in units["line"].to_list()]


@rule("windower", "overlaps", "stretches of lines that share lines are declared: traits.overlaps")
def overlaps(subject: Subject) -> None:
    if not subject.traits.line_windows:
        raise InapplicableError("traits.line_windows is false")
    shared = int(assign(subject, seen())["line"].is_duplicated().sum())
    expect(not shared or bool(subject.trait("overlaps")), "traits.overlaps=True", f"{shared} rows of shared lines")


@rule("windower", "silence", "no unit goes without a line for longer than its silence")
def silence(subject: Subject) -> None:
    seconds = _silence(subject)
    if seconds is None:
        raise InapplicableError("it declares no silence")
    right = isinstance(seconds, int | float) and seconds > 0
    expect(right, "silence, seconds above 0", repr(seconds))
    steps = np.cumsum(np.resize([share * seconds * 1e6 for share in GAPS], 60)).astype(np.int64)
    times = pl.Series(steps + material.DAY).cast(pl.Datetime("us"))
    units = assign(subject, seen().with_columns(time=times)).drop_nulls("unit")
    gaps = units.select("unit", gap=pl.col("time").diff().over("unit").dt.total_microseconds() / 1e6)
    far = gaps.filter(pl.col("gap") > seconds * (1 + 1e-6)).sort("gap", descending=True)
    unit, gap = far.row(0) if len(far) else ("", 0.0)
    expect(not len(far), f"no gap in a unit longer than {seconds:g} s", f"{gap:g} s in unit {unit!r}")


@rule("windower", "silent", "a unit that depends on times says after how many seconds it is over", advises=True)
def silent_units(subject: Subject) -> None:
    given = seen()
    later = given["time"].dt.epoch("us")
    slow = pl.Series((later - later[0]) * 1000 + later[0]).cast(pl.Datetime("us"))
    before, after = (partition(assign(subject, frame)) for frame in (given, given.with_columns(time=slow)))
    expect(
        before == after or _silence(subject) is not None,
        "an attribute silence, seconds, so that logs from a pipe end a unit in time",
        "none, and other times make other units",
    )


@rule("windower", "process", "another process, which hashes texts differently, makes the same units")
def process(subject: Subject) -> None:
    here, there = in_process(subject, {})["unit"], in_fresh_process(subject, "windower_pieces:in_process")["unit"]
    same = np.array_equal(here, there)
    expect(
        same, "the same units in a process of its own, under another PYTHONHASHSEED", _first_unlike(there, here)
    )


def in_process(subject: Subject, given: Mapping[str, Any]) -> dict[str, Any]:
    """Task of the fresh process: the unit of each row, as text."""
    return {"unit": assign(subject, seen())["unit"].fill_null("").to_numpy().astype(str)}


def _first_unlike(there: Any, here: Any) -> str:
    if len(there) != len(here):
        return f"{len(here)} rows instead of {len(there)}"
    far = np.flatnonzero(there != here)
    return f"{len(far)} others, first {here[far[0]]!r} instead of {there[far[0]]!r}" if len(far) else ""


def _silence(subject: Subject) -> Any:
    """The silence that the windower declares, None where it declares none."""
    windower = subject.build()
    return windower.silence if isinstance(windower, HasSilence) else None
