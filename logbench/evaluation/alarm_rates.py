"""A threshold by how many alarms one bears: a share of the units, or so many a day."""

from __future__ import annotations

import math
from dataclasses import dataclass

import polars as pl

from ..base.errors import IncompatibleError
from ..base.jsonable import four_digits, several
from .thresholds import validation_threshold


@dataclass(frozen=True)
class AlarmRate:
    """How many alarms one bears; at most one of the fields is set.

    Attributes:
        threshold: a score; units above it alarm.
        rate: share of the units, above 0 and at most 1.
        budget: alarms a day.
    """

    threshold: float | None = None
    rate: float | None = None
    budget: float | None = None

    @property
    def asked(self) -> bool:
        """Whether anything is set."""
        return any(value is not None for value in (self.threshold, self.rate, self.budget))


@dataclass(frozen=True)
class AlarmThreshold:
    """A threshold and how it came about.

    Attributes:
        value: units that score above it alarm; equal ones do not.
        rate: share of the known units that it came from; None where it was given.
        said: sentences for the user.
    """

    value: float
    rate: float | None = None
    said: tuple[str, ...] = ()


def threshold_by(asked: AlarmRate, known: pl.DataFrame, a_day: float | None, what: str) -> AlarmThreshold:
    """The lowest threshold under which no more of the known units alarm than asked.

    Args:
        known: `score` (Float64), `weight` (Float64) and `units` (how many a row stands for).
        a_day: units that a day brings; None where lines have no times.
        what: what a known unit is called, such as `held-out unit`.

    Raises:
        IncompatibleError: there is no known unit, or a budget is asked and nobody knows how many units a day has.

    Examples:
        >>> known = pl.DataFrame({"score": [1.0, 2.0, 3.0], "weight": [7.0, 2.0, 1.0], "units": [7, 2, 1]})
        >>> threshold_by(AlarmRate(rate=0.2), known, None, "unit").value
        2.0
    """
    if asked.threshold is not None:
        return AlarmThreshold(asked.threshold)
    assert asked.rate is not None or asked.budget is not None
    rate, said = asked.rate, []
    if asked.budget is not None:
        if a_day is None:
            raise IncompatibleError(
                "a budget of alarms a day needs lines with times, and there are none; ask for a rate: --rate 0.1%"
            )
        rate = min(1.0, asked.budget / a_day)
        said.append(f"{asked.budget:g} alarms a day of {a_day:,.0f} units a day are a rate of {_percent(rate)}")
    assert rate is not None
    if not len(known):
        raise IncompatibleError(f"a rate of alarms is found on {what}s, and there are none; give a --threshold")
    value = validation_threshold(known["score"].to_numpy(), known["weight"].to_numpy(), rate)
    return AlarmThreshold(value, rate, (*said, *_said(value, rate, known, what)))


def _said(value: float, rate: float, known: pl.DataFrame, what: str) -> list[str]:
    total, number = float(known["weight"].sum()), int(known["units"].sum())
    above, ties = known.filter(pl.col("score") > value), known.filter(pl.col("score") == value)
    share, with_ties = (float(some["weight"].sum()) / total for some in (above, pl.concat([above, ties])))
    said = [
        f"{_percent(share)} of {several(number, what)} score above {four_digits(value)} ({_percent(rate)} asked)"
    ]
    if (equal := int(ties["units"].sum())) > 1 and with_ties > rate:
        said.append(
            f"{several(equal, what)} score exactly {four_digits(value)}: as ties they do not alarm "
            f"({_percent(with_ties)} would with them)"
        )
    if (needed := math.ceil(1 / rate - 1e-9)) > number:
        said.append(f"unreliable: {several(number, what)}, at least {needed:,} are needed for {_percent(rate)}")
    return said


def _percent(share: float) -> str:
    return f"{100 * share:.3g}%"
