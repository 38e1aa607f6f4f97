"""Metrics of all units, of distinct ones, and of those whose key sequence does not train."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from ..api.optional_evaluators import InTime
from ..api.record_sections import Figures, Metrics
from ..base.errors import PluginError
from .distinct_units import distinct_units
from .metrics import key_of, named
from .unit_moments import with_moments


def metrics_of(units: pl.DataFrame, evaluators: Mapping[str, Any], unit: str, weighted: bool) -> Metrics:
    """Metrics of labelled, scored units, by unit and then `all` | `distinct` | `unseen_sequences`.

    The last are those of units whose key sequence does not train: what a model says beyond what it was shown. They
    are null where there is no such unit, and left out where it is not known.

    Args:
        units: with `label`, `score`, `verdict`, `weight`, `sequence`, `events`, and where known `repeats` and
            `MOMENTS`.
        evaluators: name → Evaluator.
        unit: what a unit is called.
        weighted: a class is subsampled, so distinct metrics cannot be known and are null.
    """
    known = with_moments(units.filter((pl.col("label") >= 0) & pl.col("score").is_not_null()))
    if not known.height:
        return {}
    distinct = distinct_units(known)
    beyond = known.filter(~pl.col("repeats")) if "repeats" in known.columns else None
    result: Metrics = {}
    for name, evaluator in evaluators.items():
        key = key_of(name, evaluator, unit)
        if key in result:
            raise PluginError(f"evaluator {name!r} gives metrics under {key!r}, which another one gives already")
        every = _answer(name, evaluator.evaluate(known))
        if isinstance(evaluator, InTime) and evaluator.in_time:
            result[key] = {"all": every, "distinct": every}
            continue
        result[key] = {"all": every, "distinct": None if weighted else _answer(name, evaluator.evaluate(distinct))}
        if beyond is not None:
            result[key]["unseen_sequences"] = _of_some(name, evaluator, beyond)
    return result


def names_of(evaluators: Mapping[str, Any], unit: str) -> list[str]:
    """Names of the metrics that evaluators give of made-up units, as users type them; empty where one fails."""
    units = pl.DataFrame(
        {
            "label": pl.Series([0, 0, 1, 1], dtype=pl.Int8),
            "score": [0.0, 2.0, 1.0, 3.0],
            "verdict": [False, True, False, True],
            "weight": [1.0] * 4,
            "sequence": pl.Series(range(4), dtype=pl.UInt32),
            "events": pl.Series([9] * 4, dtype=pl.Int64),
            "first_time": pl.Series([0, 10, 20, 30], dtype=pl.Int64),
            "last_time": pl.Series([9, 19, 29, 39], dtype=pl.Int64),
            "first_anomalous": pl.Series([None, None, 1, 2], dtype=pl.Int64),
            "first_anomalous_time": pl.Series([None, None, 21, 32], dtype=pl.Int64),
            "type": [None, None, "a", "b"],
            "template_set": pl.Series(range(4), dtype=pl.UInt32),
            "first_alarm": pl.Series([None, 3, None, 4], dtype=pl.Int64),
            "first_alarm_time": pl.Series([None, 13, None, 34], dtype=pl.Int64),
        }
    )
    try:
        return list(named(metrics_of(units, evaluators, unit, weighted=False), unit, "all"))
    except Exception:  # one may want more of units; the run will tell
        return []


def _of_some(name: str, evaluator: Any, units: pl.DataFrame) -> Figures | None:
    return _answer(name, evaluator.evaluate(units)) if units.height else None


def _answer(name: str, came: Any) -> Figures:
    if not isinstance(came, Mapping):
        raise PluginError(f"evaluator {name!r} must return names and numbers, got {type(came).__name__}")
    return dict(came)
