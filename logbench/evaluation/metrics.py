"""Which figure of a record a metric's name means, and which way it is better: for every command that takes one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from ..api.components import Direction
from ..api.optional_evaluators import HasColumns, HasDirections, OfUnits
from ..base.errors import ConfigError, PluginError

Record = Mapping[str, Any]
# Key of the metrics of single lines; of these there are no distinct ones.
EVENT = "event"


def key_of(name: str, evaluator: Any, unit: str) -> str:
    """Where a record keeps the metrics of an evaluator: under its name, or the unit's where it is `of_units`."""
    return unit if isinstance(evaluator, OfUnits) and evaluator.of_units else name


def directions_of(evaluators: Mapping[str, Any], unit: str) -> dict[str, dict[str, Direction]]:
    """What evaluators declare, keyed as their metrics are: metric → `higher` or `lower`, which is better.

    Raises:
        PluginError: an evaluator declares something else.
    """
    found = {}
    for name, evaluator in evaluators.items():
        declared: object = evaluator.directions if isinstance(evaluator, HasDirections) else {}
        if not isinstance(declared, Mapping):
            raise PluginError(f"evaluator {name!r}: directions must map metrics to 'higher' or 'lower'")
        for metric, way in declared.items():
            if way not in get_args(Direction):
                raise PluginError(
                    f"evaluator {name!r}: directions[{metric!r}] is {way!r}, not 'higher' or 'lower'"
                )
        found[key_of(name, evaluator, unit)] = dict(declared)
    return found


def columns_of(evaluators: Mapping[str, Any], unit: str) -> dict[str, list[str]]:
    """Which metrics tables show, keyed as the metrics are: by default those that have a direction.

    Raises:
        PluginError: an evaluator declares something else than texts.
    """
    found = {}
    for name, evaluator in evaluators.items():
        directed = directions_of({name: evaluator}, unit)
        key, declared = key_of(name, evaluator, unit), directed[key_of(name, evaluator, unit)]
        given: object = evaluator.columns if isinstance(evaluator, HasColumns) else list(declared)
        if not (
            isinstance(given, Sequence)
            and not isinstance(given, str)
            and all(isinstance(one, str) for one in given)
        ):
            raise PluginError(f"evaluator {name!r}: columns must be names of metrics, got {given!r}")
        found[key] = list(given)
    return found


def headline(record: Record) -> Mapping[str, Any] | None:
    """The metrics of units that the protocol makes the headline; None without labels."""
    found = record["metrics"].get(_unit(record))
    return found[_chosen(record["protocol"]["duplicates"])] if found else None


def _unit(record: Record) -> str:
    unit: str = record["dataset"].get("unit", "session")
    return unit


def _chosen(duplicates: str) -> str:
    return "all" if duplicates == "all" else "distinct"


def named(metrics: Mapping[str, Any], unit: str, duplicates: str) -> dict[str, float | None]:
    """The headline's figures by the names that users type: `f1` of units, `cost.cost` of another evaluator.

    Args:
        metrics: key → `all` | `distinct` → metric, as in a record. duplicates: the protocol's.
    """
    chosen = {key: of["all" if key == EVENT else _chosen(duplicates)] or {} for key, of in metrics.items()}
    return {_name(key, name, unit): value for key, of in chosen.items() for name, value in of.items()}


def _name(key: str, name: str, unit: str) -> str:
    return name if key == unit else f"{key}.{name}"


def figures(record: Record) -> dict[str, float | None]:
    """The headline's figures of a record by the names that users type: `f1`, and `cost.cost` of other evaluators.

    Args:
        record: as `logbench run --json` prints it.
    """
    return named(record["metrics"], _unit(record), record["protocol"]["duplicates"])


def figure(record: Record, metric: str) -> float | None:
    """A metric of the headline; None where it is undefined.

    Raises:
        ConfigError: the record has no such metric.
    """
    known, run, owner = figures(record), record["run_id"], metric.rpartition(".")[0]
    asked = owner in ("", EVENT) or any(name.startswith(f"{owner}.") for name in known)
    if known and metric not in known and not asked:
        raise ConfigError(
            f"{run} has no metric {metric!r}; compute it: logbench rescore {run} --evaluator {owner}"
        )
    return pick(known, metric, run)


def pick(known: Mapping[str, float | None], metric: str, where: str) -> float | None:
    """The metric out of `named` ones; ConfigError where there is none, saying that `where` has none."""
    if metric not in known:
        raise ConfigError(f"{where} has no metric {metric!r}; there is {', '.join(known) or 'none'}")
    value = known[metric]
    return None if value is None else float(value)


def shown_metrics(record: Record) -> list[str]:
    """Names of the metrics that tables show, as `figures` calls them: those of units before others.

    Args:
        record: as `logbench run --json` prints it; one of an older version names none.
    """
    unit = _unit(record)
    columns = sorted((record.get("columns") or {}).items(), key=lambda pair: pair[0] != unit)
    return [_name(key, name, unit) for key, names in columns for name in names]


def ways(record: Record) -> dict[str, Direction]:
    """Which way each metric that has a direction is better, by the names of `named`."""
    unit, declared = _unit(record), record.get("directions") or {}
    return {_name(key, name, unit): way for key, of in declared.items() for name, way in of.items()}


def direction(record: Record, metric: str) -> Direction:
    """Which way a metric is better.

    Raises:
        ConfigError: the record does not say it.
    """
    known = ways(record)
    if (way := known.get(metric)) is not None:
        return way
    if not known:
        run = record["run_id"]
        raise ConfigError(
            f"{run} does not say which way its metrics are better; give it new ones: logbench rescore {run}"
        )
    raise ConfigError(f"{metric} has no direction, so none is better or worse; {', '.join(known)} have one")


def loss(way: Direction, was: float, now: float) -> float:
    """How much worse `now` is than `was`; negative where it is better."""
    return was - now if way == "higher" else now - was
