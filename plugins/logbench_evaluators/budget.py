"""What a person on call gets: of the highest scores, and of a number of alarms a day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
import polars as pl

from .options import BudgetOptions
from .steps import steps

MICROSECONDS_A_DAY = 86_400_000_000


class Budget:
    """Precision and recall of the k highest scores, and recall at a number of alarms a day; see `Evaluator`."""

    in_time = True
    columns = ("precision_at_k", "recall_at_budget", "alarms_a_day")
    directions: ClassVar[Mapping[str, Literal["higher", "lower"]]] = dict.fromkeys(
        ("precision_at_k", "recall_at_k", "recall_at_budget", "precision_at_budget"), "higher"
    )

    def __init__(self, options: BudgetOptions) -> None:
        self.options = options

    def evaluate(self, units: pl.DataFrame) -> Mapping[str, float | None]:
        """`precision_at_k recall_at_k alarms_a_day recall_at_budget precision_at_budget days`, each a float.

        Of equal scores around the k-th any order is as good: both figures are means over all orders (McSherry
        and Najork, ECIR 2008). At the budget the threshold is the lowest one that keeps to it, with equal scores
        on one side. `days` lie between the first and the last line. None where there are fewer than k units, no
        anomaly (recall), no alarm (precision at the budget), or no times.
        """
        ranked = steps(units)
        anomalies, total = float(ranked["anomalies"].sum()), float(ranked["units"].sum())
        days = _days(units)
        hits = _hits_of_first(ranked, self.options.k) if total >= self.options.k else None
        seen = {
            "precision_at_k": None if hits is None else hits / self.options.k,
            "recall_at_k": None if hits is None or not anomalies else hits / anomalies,
        }
        if not days:
            return {**seen, **dict.fromkeys(("alarms_a_day", "recall_at_budget", "precision_at_budget", "days"))}
        alarms = float(units.filter("verdict")["weight"].sum())
        kept = ranked.filter(pl.col("units").cum_sum() <= self.options.a_day * days)
        found, looked = float(kept["anomalies"].sum()), float(kept["units"].sum())
        return {
            **seen,
            "alarms_a_day": alarms / days,
            "recall_at_budget": found / anomalies if anomalies else None,
            "precision_at_budget": found / looked if looked else None,
            "days": days,
        }


def _hits_of_first(ranked: pl.DataFrame, k: int) -> float:
    """Weight of anomalies among the first k units, the mean over all orders of equal scores."""
    size, hits = ranked["units"].to_numpy(), ranked["anomalies"].to_numpy()
    before = np.cumsum(size) - size
    share = np.clip((k - before) / size, 0.0, 1.0)
    return float((share * hits).sum())


def _days(units: pl.DataFrame) -> float:
    """Days between the first and the last line; 0 where there are no times."""
    first, last = units["first_time"].min(), units["last_time"].max()
    if not isinstance(first, int) or not isinstance(last, int):
        return 0.0
    return (last - first) / MICROSECONDS_A_DAY
