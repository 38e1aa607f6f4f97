"""How early an anomaly alarms within its unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import polars as pl

SECOND = 1_000_000


class FirstAlarm:
    """Events and seconds until an anomaly alarms, and before its end; see `Evaluator` and `NeedsFirstAlarm`."""

    needs_first_alarm = True
    columns = ("events", "seconds", "early")
    directions: ClassVar[Mapping[str, Literal["higher", "lower"]]] = {
        **dict.fromkeys(("events", "seconds"), "lower"),
        **dict.fromkeys(("early", "seconds_left"), "higher"),
    }

    def evaluate(self, units: pl.DataFrame) -> Mapping[str, float | None]:
        """`events seconds early seconds_left known`, each a float.

        Of the anomalies that alarm: mean `events` and `seconds` from the first anomalous line, where lines carry
        labels, or else from the first line, to the event that alarms; the share that is `early`, before the last
        line; and mean `seconds_left` to that. An alarm before the first anomalous line counts 0. `known` is the
        share of anomalies for which this is known, missed ones not; read it beside the others, since a model that
        finds only what is easy is early. None where there is no such unit, or no time.
        """
        anomalies = units.filter(pl.col("label") == 1)
        alarms = anomalies.filter(pl.col("first_alarm").is_not_null())
        since = pl.coalesce("first_anomalous_time", "first_time")
        events = pl.max_horizontal(0, pl.col("first_alarm") - pl.col("first_anomalous").fill_null(0))
        seconds = pl.max_horizontal(0, pl.col("first_alarm_time") - since) / SECOND
        total = float(anomalies["weight"].sum())
        return {
            "events": _mean(alarms, events),
            "seconds": _mean(alarms, seconds),
            "early": _mean(alarms, pl.col("first_alarm") < pl.col("events") - 1),
            "seconds_left": _mean(alarms, (pl.col("last_time") - pl.col("first_alarm_time")) / SECOND),
            "known": float(alarms["weight"].sum()) / total if total else None,
        }


def _mean(units: pl.DataFrame, of: pl.Expr) -> float | None:
    """Weighted mean; None where no unit has the value."""
    known = units.select(value=of.cast(pl.Float64), weight="weight").drop_nulls()
    weight = float(known["weight"].sum())
    return float((known["value"] * known["weight"]).sum()) / weight if weight else None
