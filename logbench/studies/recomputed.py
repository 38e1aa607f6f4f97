"""How sure a metric's difference is where only its evaluator can compute it: from stored scores."""

from __future__ import annotations

import math
from typing import cast

import polars as pl

from ..api.record_sections import Record
from ..base.errors import ConfigError, LogbenchError
from ..components.configured import configured
from ..components.registry import Registry
from ..evaluation import bootstrap
from ..evaluation.bootstrap import Metric
from ..evaluation.distinct_units import distinct_units
from ..evaluation.intervals import Interval
from ..evaluation.metrics import figure, key_of
from ..evaluation.unit_moments import with_moments

# Relative difference of a figure computed again from the one that the run stored.
CLOSE = 1e-9


def bootstrapped(
    runs: tuple[Record, Record],
    units: tuple[pl.DataFrame, pl.DataFrame],
    metric: str,
    registry: Registry,
    *,
    resamples: int,
    seed: int,
) -> tuple[Interval | None, str]:
    """The difference of a metric with a bootstrap interval through its evaluator; or None, and why there is none.

    Args:
        units: of both runs, those that their protocol judges, as stored, in the same order.
    """
    first, other = runs
    sequence = units[0].select("index", cluster=pl.col("sequence").cast(pl.Int64))
    headline = [_headline(run, frame) for run, frame in zip(runs, units, strict=True)]
    clustered = [frame.join(sequence, on="index", how="left", maintain_order="left") for frame in headline]
    try:
        metrics = (_metric(first, metric, registry), _metric(other, metric, registry))
        for run, one, frame in zip(runs, metrics, headline, strict=True):
            _check_same(run, metric, one(frame))
        found = bootstrap.paired(clustered[0], clustered[1], metrics, resamples=resamples, seed=seed)
    except (LogbenchError, ValueError) as error:
        return None, str(error)
    except Exception as error:  # of the evaluator's own
        return None, f"its evaluator failed on resampled units: {type(error).__name__}: {error}"
    return found, found.why_none


def _headline(run: Record, units: pl.DataFrame) -> pl.DataFrame:
    return with_moments(units if run["protocol"]["duplicates"] == "all" else distinct_units(units))


def _metric(run: Record, metric: str, registry: Registry) -> Metric:
    """The metric as the run's evaluator computes it, with the run's options.

    Raises:
        ConfigError: the evaluator is not installed, or there is none of units.
    """
    key, _, name = metric.rpartition(".")
    unit = run["dataset"]["unit"]
    for called, options in run["config"].get("evaluators", {}).items():
        if called not in registry.components["evaluator"]:
            raise ConfigError(f"evaluator {called!r} is not installed; one in a file: --evaluator ./{called}.py")
        built = configured(registry.get("evaluator", called), options).build()
        if key_of(called, built, unit) == (key or unit):
            return lambda units: cast(float | None, built.evaluate(units).get(name))
    raise ConfigError(f"no evaluator of {run['run_id']} computes it of units")


def _check_same(run: Record, metric: str, again: float | None) -> None:
    stored = figure(run, metric)
    if again is None or stored is None or not math.isclose(again, stored, rel_tol=CLOSE, abs_tol=CLOSE):
        raise ConfigError(
            f"its evaluator gives {again} of the stored scores of {run['run_id']}, where the run has {stored}"
        )
