"""Options of the evaluators, which load nothing, so that a list of them does not either."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from logbench import option


@dataclass(frozen=True)
class BudgetOptions:
    """How many units somebody looks at."""

    k: int = option(100, "units that are looked at, those of the highest scores first", ge=1)
    a_day: float = option(10.0, "alarms a day that are looked at", gt=0)


@dataclass(frozen=True)
class IncidentsOptions:
    """What is one incident, and what counts of it."""

    gap: float | None = option(
        None, "seconds of silence that end an incident; none: the first unit between that is not of it", ge=0
    )
    existence: float = option(
        0.0, "share of recall that one alarm in an incident earns, the rest is by its units", ge=0, le=1
    )
    fragments: Literal["one", "reciprocal"] = option(
        "one", "an incident that is found in x pieces counts whole, or an x-th"
    )
    point_adjusted: bool = option(
        False, "also the F1 that calls all units of an incident found by one alarm, beside that of random alarms"
    )


@dataclass(frozen=True)
class CostsOptions:
    """Prices of errors, in any unit."""

    fp: float = option(1.0, "price of a false alarm", ge=0)
    fn: float = option(50.0, "price of an anomaly without an alarm", ge=0)


@dataclass(frozen=True)
class CalibrationOptions:
    """How reliability is measured."""

    bins: int = option(10, "bins of equal width from 0 to 1", ge=2)
