"""Rules for evaluators: they handle every frame of a real run, of rule baselines, events and many units."""

from __future__ import annotations

import polars as pl

from ..api.optional_evaluators import OfUnits
from ..data.scores import FIRST_ALARM, KINDS, MOMENTS
from . import material
from .evaluator import as_before, evaluate, numbers, usual
from .outcome import InapplicableError
from .rule import Subject, rule

COPIES = 125


@rule("evaluator", "names", "names and numbers of units change nothing")
def names(subject: Subject) -> None:
    units = material.units()
    renamed = units.with_columns(
        unit=pl.format("normal-{}", pl.int_range(pl.len(), 0, -1)),
        index=pl.col("index").reverse() * 7,
        sequence=(pl.lit(1000, pl.UInt32) - pl.col("sequence")).cast(pl.UInt32),
    )
    as_before(usual(subject), evaluate(subject, renamed), "where units have other names and numbers")


@rule("evaluator", "judged", "metrics depend on score and verdict, not on the model's raw scores")
def judged(subject: Subject) -> None:
    """Rule baselines replace scores and verdicts; the other columns of the frame stay the model's."""
    others = material.units().with_columns(
        raw=-pl.col("raw"),
        ignoring=pl.lit(None, pl.Float64),
        ignoring_event=pl.lit(None, pl.Int64),
        nll=pl.lit(0.5),
    )
    as_before(usual(subject), evaluate(subject, others), "where raw scores differ that the protocol judged alike")


@rule("evaluator", "again", "earlier calls change nothing")
def again(subject: Subject) -> None:
    evaluator = subject.build()
    first = dict(evaluator.evaluate(material.units()))
    evaluator.evaluate(material.units(60, 5))
    as_before(first, dict(evaluator.evaluate(material.units())), "when it is asked again, after other units")


@rule("evaluator", "large", "5,000 units with less weight give the metrics of 40 units")
def large(subject: Subject) -> None:
    units = material.units()
    many = pl.concat([units.with_columns(pl.col("weight") / COPIES)] * COPIES)
    as_before(usual(subject), evaluate(subject, many), f"with {len(many):,} units of the same weight in all")


@rule("evaluator", "untimed", "units of data without times, or without labels of lines, are accepted")
def untimed(subject: Subject) -> None:
    for what, lacking in {
        "without times": (*MOMENTS, *FIRST_ALARM),
        "without labels of lines": MOMENTS[2:],
        "without places of alarms": FIRST_ALARM,
    }.items():
        nothing = [pl.lit(None, pl.Int64).alias(name) for name in lacking]
        numbers(evaluate(subject, material.units().with_columns(nothing)), f"units {what}")
    unknown = [pl.lit(None, dtype).alias(name) for name, dtype in KINDS.items()]
    numbers(evaluate(subject, material.units().with_columns(unknown)), "units of no known type")


@rule("evaluator", "events", "one of units judges single events, too: they have no name and much weight")
def events(subject: Subject) -> None:
    evaluator = subject.build()
    if not (isinstance(evaluator, OfUnits) and evaluator.of_units):
        raise InapplicableError("it is not asked of events: of_units is false")
    numbers(evaluate(subject, material.events()), "events")
