"""Rules for evaluators: metrics are numbers or None, and count weights, for any units."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import polars as pl

from ..evaluation.metrics import columns_of, directions_of, loss
from . import material
from .outcome import expect
from .rule import Subject, rule
from .side_effects import watched

CLOSE = 1e-9


def evaluate(subject: Subject, units: pl.DataFrame) -> dict[str, Any]:
    """Build the evaluator and compute its metrics."""
    actual = subject.build().evaluate(units)
    expect(isinstance(actual, Mapping), "evaluate to return a mapping", type(actual).__name__)
    return dict(actual)


def usual(subject: Subject) -> dict[str, Any]:
    """The metrics that rules share."""
    return subject.cached("usual", lambda: evaluate(subject, material.units()))


def numbers(actual: Mapping[str, Any], what: str) -> None:
    """Raise ViolationError if a metric is neither a finite number nor None."""
    for name, value in actual.items():
        expect(isinstance(name, str), "names of metrics to be texts", repr(name))
        right = value is None or (isinstance(value, int | float) and math.isfinite(value))
        expect(
            right,
            f"{name} of {what} to be a finite int or float, or None where it is undefined",
            f"{value!r} ({type(value).__name__})",
        )


def as_before(expected: Mapping[str, Any], actual: Mapping[str, Any], what: str) -> None:
    """Raise ViolationError if metrics differ."""
    expect(expected.keys() == actual.keys(), f"the same metrics {what}", ", ".join(actual))
    for name, value in expected.items():
        other = actual[name]
        alike = value == other or (
            None not in (value, other) and math.isclose(value, other, rel_tol=CLOSE, abs_tol=CLOSE)
        )
        expect(alike, f"{name} = {value} {what}", str(other))


@rule("evaluator", "runs", "evaluate returns names and numbers")
def runs(subject: Subject) -> None:
    actual = usual(subject)
    expect(bool(actual), "one metric at least", "none")
    numbers(actual, "labelled units of both classes")
    json.dumps(actual, allow_nan=False)


@rule("evaluator", "weights", "a unit of weight 2 counts as two units of weight 1")
def weights(subject: Subject) -> None:
    units = material.units()
    repeated = units.select(pl.all().repeat_by(pl.col("weight").cast(pl.UInt32)).explode())
    single = repeated.with_columns(weight=pl.lit(1.0))
    as_before(usual(subject), evaluate(subject, single), "with each unit of weight 2 given twice")


@rule("evaluator", "order", "the order of units changes nothing")
def order(subject: Subject) -> None:
    as_before(usual(subject), evaluate(subject, material.units().reverse()), "in reverse order")


@rule("evaluator", "infinite", "scores of ±infinity are ranked first and last, not computed with")
def infinite(subject: Subject) -> None:
    score = pl.when(pl.col("events") > 11).then(math.inf).when(pl.col("events") < 7).then(-math.inf)
    numbers(evaluate(subject, material.units().with_columns(score=score.otherwise("score"))), "infinite scores")


@rule("evaluator", "one-class", "units of one class, a single unit, and equal verdicts are accepted")
def one_class(subject: Subject) -> None:
    units = material.units()
    for what, some in {
        "normal units only": units.filter(pl.col("label") == 0),
        "anomalies only": units.filter(pl.col("label") == 1),
        "one unit": units.head(1),
        "units that all alarm": units.with_columns(verdict=pl.lit(True)),
        "units of which none alarms": units.with_columns(verdict=pl.lit(False)),
        "units of one score": units.with_columns(score=pl.lit(0.0)),
    }.items():
        numbers(evaluate(subject, some), what)


@rule("evaluator", "directions", "no metric with a direction is worse for perfect verdicts than for inverted ones")
def directions(subject: Subject) -> None:
    declared = directions_of({"": subject.build()}, "")[""]
    unknown = [name for name in declared if name not in usual(subject)]
    expect(not unknown, "directions of metrics that evaluate returns", ", ".join(map(str, unknown)))
    perfect, inverted = (evaluate(subject, _judged(pl.col("label") == label)) for label in (1, 0))
    for name, way in declared.items():
        right, wrong = perfect[name], inverted[name]
        worse = None not in (right, wrong) and loss(way, wrong, right) > CLOSE * max(1.0, abs(wrong))
        expect(not worse, f"{name}, {way} is better, not to be worse where every verdict is right than where each "
               "is wrong", f"{right} against {wrong}")  # fmt: skip


@rule("evaluator", "columns", "columns are metrics that evaluate returns, each once")
def columns(subject: Subject) -> None:
    declared = columns_of({"": subject.build()}, "")[""]
    unknown = [name for name in declared if name not in usual(subject)]
    expect(not unknown, "columns of metrics that evaluate returns", ", ".join(unknown))
    expect(len(set(declared)) == len(declared), "each column once", ", ".join(declared))


def _judged(verdict: pl.Expr) -> pl.DataFrame:
    """Units with these verdicts, and with scores that lead to them."""
    return material.units().with_columns(verdict=verdict, score=verdict.cast(pl.Float64))


@rule("evaluator", "files", "nothing is written or printed, and the units are not changed")
def files(subject: Subject) -> None:
    units = material.units()
    with watched(subject.fresh("watched")) as watch:
        evaluate(subject, units)
    expect(not watch.faults, "no files, no prints, random states left alone", watch.faults)
    expect(units.equals(material.units()), "the units as they were", "others")
