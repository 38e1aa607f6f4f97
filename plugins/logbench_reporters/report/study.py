"""What one page is of: runs of one data set and protocol, their rows, and what they stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from logbench import DataError, figures

from ..rows import (
    Row,
    best_row,
    comparisons,
    lower_is_better,
    metrics_shown,
    model_rows,
    rule_rows,
    showing,
)

if TYPE_CHECKING:
    import polars as pl

    from logbench import Runs

Record = Mapping[str, Any]
# Models that are tested against each other; pairs grow by the square.
MOST_TIED = 12
Frames: TypeAlias = "dict[str, pl.DataFrame | None]"


@dataclass(frozen=True)
class Study:
    """Runs that may stand in one table, in the order given.

    Attributes:
        records: at least one, with the figures of other evaluators in their headline. metric: what ranks.
        runs: where their scores are. ladder: what `logbench ladder --json` says, to be shown beside.
    """

    records: Sequence[Record]
    metric: str
    runs: Runs
    ladder: Mapping[str, Any] | None = None

    @cached_property
    def lower(self) -> bool:
        """Whether the metric is better where it is lower."""
        return bool(lower_is_better(self.records, [self.metric]))

    @cached_property
    def good(self) -> list[Record]:
        """Runs that worked, those of the best model first."""
        ranked = {row.name: at for at, row in enumerate(self.models)}
        good = [record for record in self.records if record["status"] == "ok" and record["metrics"]]
        return sorted(good, key=lambda record: ranked.get(record["model"], len(ranked)))

    @cached_property
    def models(self) -> list[Row]:
        """A row a model and configuration, baselines too, the best first; those without a value last."""
        sign = 1 if self.lower else -1

        def place(row: Row) -> tuple[bool, float]:
            value = row.metrics.get(self.metric)
            return (value is None, 0.0 if value is None else sign * value)

        return sorted(model_rows(self.records, metric=self.metric), key=place)

    @cached_property
    def rules(self) -> list[Row]:
        """A row a rule that needs no model."""
        return rule_rows(self.records, metric=self.metric)

    @cached_property
    def best_rule(self) -> Row | None:
        return best_row(self.rules, self.metric, self.lower)

    @cached_property
    def tied(self) -> Mapping[str, str]:
        """Letters of the best models; two that share one are not told apart."""
        best = [record["model"] for record in self.firsts[:MOST_TIED]]
        runs = [record for record in self.good if record["model"] in best]
        return self.runs.tied(runs, self.metric) if len(best) > 1 else {}

    @cached_property
    def firsts(self) -> list[Record]:
        """The first run that worked of each model, the best model first."""
        return list({record["model"]: record for record in reversed(self.good)}.values())[::-1]

    def units(self, record: Record) -> pl.DataFrame | None:
        """What the headline counts; None where the scores are gone."""
        return _read(record, self.runs.units, self._units)

    def scores(self, record: Record) -> pl.DataFrame | None:
        """Every stored score; None where they are gone."""
        return _read(record, self.runs.scores, self._scores)

    @cached_property
    def _units(self) -> Frames:
        return {}

    @cached_property
    def _scores(self) -> Frames:
        return {}

    @property
    def unit(self) -> str:
        """What is scored, such as `session`."""
        name: str = self.records[0]["dataset"].get("unit", "unit")
        return name


def _read(record: Record, read: Callable[[Record], pl.DataFrame], known: Frames) -> pl.DataFrame | None:
    name = record["run_id"]
    if name not in known:
        try:
            known[name] = read(record)
        except DataError:
            known[name] = None
    return known[name]


def studies(records: Sequence[Record], runs: Runs, metric: str = "f1") -> list[Study]:
    """One study a data set and protocol; of runs that were done again the newest counts."""
    names = metrics_shown(records, metric)
    return [Study(newest(group), metric, runs) for group in comparisons(showing(records, names))]


def newest(records: Sequence[Record]) -> list[Record]:
    """Of equal model, configuration and seeds the last run that worked, else the last."""
    kept: dict[str, Record] = {}
    for record in records:
        what = [record["model"], record["config"], record["seed"], record["protocol"]["split_seed"]]
        same = json.dumps(what, sort_keys=True, default=str)
        if same not in kept or record["status"] == "ok" or kept[same]["status"] != "ok":
            kept.pop(same, None)
            kept[same] = record
    return list(kept.values())


def once(records: Sequence[Record], metric: str) -> list[Record]:
    """Of runs that are equal but for their evaluators the last that has the metric, so that none counts twice."""
    kept: dict[str, Record] = {}
    for record in records:
        if record["status"] == "ok" and value_of(record, metric) is not None:
            data = [record["dataset"].get(name) for name in ("name", "digest", "source", "source_digest")]
            config = {name: of for name, of in record["config"].items() if name != "evaluators"}
            what = [record["model"], data, config, record["seed"], record["protocol"]]
            kept[json.dumps(what, sort_keys=True, default=str)] = record
    return list(kept.values())


def threshold_of(record: Record) -> float:
    """The threshold in force; ±inf from its text, because JSON has no infinity. NaN where it has none."""
    found = record["threshold"]
    exact = found.get("exact", found.get("value"))
    return float("nan") if exact is None else float(exact)


def value_of(record: Record, metric: str) -> float | None:
    """A figure of the headline; None where the run has none."""
    return figures(record).get(metric) if record["metrics"] else None
