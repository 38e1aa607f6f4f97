"""Turn records into rows: one a model or baseline over its seeds and splits, and one a rule without model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from logbench import figures, mean_interval, redraws, shown_metrics

from .cost import Cost
from .marks import marks_of
from .words import several

Record = Mapping[str, Any]
# Metrics of units that records of before there were `columns` show.
METRICS = ("f1", "precision", "recall", "mcc", "auroc", "auprc")
# Key of single lines in a record's sections.
EVENT = "event"
# Metrics with a 95% interval for several seeds or splits.
INTERVALS = ("f1", "precision", "recall")


@dataclass
class Row:
    """One line of a table.

    Attributes:
        kind: `model`, `baseline` (nobody asked for it by name) or `rule`.
        counted: seeds of a stochastic model that gave something; 0 where the model is deterministic.
        runs, failed: how many runs are summed up, and how many more gave nothing.
        metrics: of the headline, means over the runs; None where undefined. other: F1 of the other choice of
            duplicates.
        bounds: 95% intervals of the means by metric, see `mean_interval`; empty where nothing varied between runs.
        threshold, source: None where the runs differ.
        cost: means over the runs that gave something; times are None where runs were contended.
        short: tested units that the rule for short ones decided, the mean over splits. limit: units with fewer
            events are short; None where the runs differ.
        joint: the score of a unit depends on what else is scored.
        learned: what the model did between slices (`kept`, `refitted`, `updated`); empty in a batch run.
        marks: what a reader must know, see `marks`.
        prevalence: share of anomalies among the units that were tested, see `prevalence`.
        tied: letters that it shares with models that are not told apart from it; empty where that is not known.
        status, reason: of the runs that gave nothing; `ok` where there is none.
    """

    name: str
    kind: str = "model"
    seeds: tuple[int, ...] = ()
    splits: tuple[int, ...] = ()
    counted: int = 0
    runs: int = 0
    failed: int = 0
    metrics: dict[str, float | None] = field(default_factory=dict)
    other: float | None = None
    bounds: dict[str, tuple[float, float]] = field(default_factory=dict)
    threshold: float | None = None
    source: str | None = None
    cost: Cost = field(default_factory=Cost)
    short: float | None = None
    limit: int | None = None
    joint: bool = False
    learned: str = ""
    marks: tuple[str, ...] = ()
    prevalence: float | None = None
    tied: str = ""
    status: str = "ok"
    reason: str = ""


def metrics_shown(records: Sequence[Record], metric: str) -> list[str]:
    """Names of the metrics that tables show: `metric` first, those of units, then those of other evaluators."""
    names = [name for record in records for name in shown_metrics(record)]
    own = [name for name in names if "." not in name] or METRICS
    return list(dict.fromkeys((metric, *own, *names)))


def lower_is_better(records: Sequence[Record], names: Sequence[str]) -> list[str]:
    """Those of the metrics whose evaluator declares that lower is better."""

    def way(record: Record, name: str) -> str | None:
        key, _, own = name.rpartition(".")
        declared: Mapping[str, Any] = record.get("directions", {})
        found: str | None = declared.get(key or record["dataset"].get("unit"), {}).get(own)
        return found

    return [name for name in names if any(way(record, name) == "lower" for record in records)]


def showing(records: Sequence[Record], names: Sequence[str]) -> list[Record]:
    """Copy metrics of other evaluators into the headline of records, so that their rows have them."""
    return [
        {
            **record,
            "metrics": _with(record, record["metrics"], names),
            "trivial": {name: _with(record, metrics, names) for name, metrics in record["trivial"].items()},
        }
        for record in records
    ]


def _with(record: Record, metrics: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    known = figures({**record, "metrics": metrics})
    more = {name: known[name] for name in names if name in known}
    chosen = "all" if record["protocol"]["duplicates"] == "all" else "distinct"
    first = _headline(metrics, record)
    return {
        key: {**of, chosen: {**of[chosen], **more}} if key == first and of[chosen] else of
        for key, of in metrics.items()
    }


def comparisons(records: Sequence[Record]) -> list[list[Record]]:
    """Group records by data set and protocol (without split seed), in the given order."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        protocol = {k: v for k, v in record["protocol"].items() if k not in {"hash", "split_seed"}}
        data = [record["dataset"].get(name) for name in ("name", "source")]
        same = json.dumps([data, record["preset"], protocol], sort_keys=True, default=str)
        groups.setdefault(same, []).append(record)
    return list(groups.values())


def model_rows(records: Sequence[Record], each_seed: bool = False, metric: str = "f1") -> list[Row]:
    """One row a model and configuration, or one a run; baselines after the models.

    `metric` gets an interval beside `INTERVALS`.
    """
    groups: dict[Any, list[Record]] = {}
    for number, record in enumerate(records):
        same = (record["model"], json.dumps(record["config"], sort_keys=True, default=str))
        groups.setdefault(number if each_seed else same, []).append(record)
    return sorted((_row(group, metric) for group in groups.values()), key=lambda row: row.kind == "baseline")


def best_row(rows: Sequence[Row], metric: str, lower: bool = False) -> Row | None:
    """The row that a metric puts first, of equal ones the first; None where no row has it.

    Args:
        lower: the metric is better where it is lower.
    """
    known = [row for row in rows if row.metrics.get(metric) is not None]
    sign = -1 if lower else 1
    return max(known, key=lambda row: sign * (row.metrics[metric] or 0.0), default=None)


def rule_rows(records: Sequence[Record], each_split: bool = False, metric: str = "f1") -> list[Row]:
    """One row a rule, or one a rule and split: it depends on the split, not on the model or its seed.

    Where the models that were asked for have other limits of short units, a rule that depends on the limit has a
    row for each.
    """
    first: dict[int, dict[int | None, Record]] = {}
    for record in [one for one in records if not one.get("baseline")] or records:
        if record["trivial"]:
            first.setdefault(_split(record), {}).setdefault(short_limit(record), record)
    groups = [[split] for split in first] if each_split else [list(first)] if first else []
    return [
        row
        for splits in groups
        for name in next(iter(first[splits[0]].values()))["trivial"]
        for row in _rules(name, [first[split] for split in splits], metric)
    ]


def _rules(name: str, found: Sequence[Mapping[int | None, Record]], metric: str) -> Iterator[Row]:
    """A row for each limit; a single row if all give the same figures.

    Args:
        found: of each split, one record a limit.
    """
    limits = sorted({limit for split in found for limit in split}, key=lambda limit: limit or 0)
    rows = [_rule(name, [split[limit] for split in found if limit in split], metric) for limit in limits]
    if all(
        (one.metrics, one.other, one.bounds) == (rows[0].metrics, rows[0].other, rows[0].bounds) for one in rows
    ):
        rows = rows[:1]
    for row, limit in zip(rows, limits, strict=False):
        if len(rows) > 1:
            row.name, row.limit = f"{row.name} (< {limit})", limit
        yield row


def short_limit(record: Record) -> int | None:
    """Events below which a unit was short in a run; None for a run without result."""
    limit: int | None = record["counts"].get("short_limit")
    return limit


def _rule(name: str, records: Sequence[Record], metric: str) -> Row:
    row = Row(name.replace("_", " "), "rule", splits=tuple(map(_split, records)), prevalence=prevalence(records))
    return _summed(
        row, [(_split(record), *_found(record["trivial"][name], record)) for record in records], records, metric
    )


def prevalence(records: Sequence[Record]) -> float | None:
    """Share of anomalies in the test set, the mean over splits; None if no evaluator gives it."""
    found = {
        _split(r): m["all"]["prevalence"]
        for r in records
        for unit, m in r["metrics"].items()
        if unit != EVENT and "prevalence" in m["all"]
    }
    return fmean(found.values()) if found else None


def of_events(records: Sequence[Record]) -> list[Record]:
    """Records with metrics of single lines, which replace those of units."""
    return [
        {
            **record,
            "metrics": {"line": record["metrics"][EVENT]},
            "trivial": {rule: {"line": units[EVENT]} for rule, units in record["trivial"].items()},
            "threshold": record["threshold"][EVENT],
            "counts": {**record["counts"], **record["counts"][EVENT]},
            "protocol": {**record["protocol"], "duplicates": "all"},
            "stages": {},
            "tied": None,  # which is of units
        }
        for record in records
        if EVENT in record["metrics"]
    ]


def over(rows: Sequence[Row]) -> str:
    """Say what the intervals are taken over; empty without intervals."""
    if not any(row.bounds for row in rows):
        return ""
    seeds, splits = ({each for row in rows for each in getattr(row, name)} for name in ("seeds", "splits"))
    if len(splits) < 2:
        return several(len(seeds), "seed")
    each = f", each the mean of {len(seeds)} seeds" if len(seeds) > 1 else ""
    return f"{len(splits)} splits{each}, corrected for what they share (Nadeau & Bengio 2003)"


def unvaried(rows: Sequence[Row], records: Sequence[Record]) -> list[str]:
    """Say why rows of several runs have no interval, because seeds or splits did not vary."""
    several = [row for row in rows if row.runs > 1 and not row.bounds]
    if len({_split(record) for record in records}) > 1 and not redraws(records[0]["protocol"]):
        train = records[0]["protocol"]["train"]
        return [f"no ±: with protocol.train={train} another split seed only holds out other training units"]
    return [f"no ±: the same figures in every run: {', '.join(row.name for row in several)}"] if several else []


def _row(records: Sequence[Record], metric: str) -> Row:
    good = [record for record in records if record["status"] == "ok"]
    bad = [record for record in records if record["status"] != "ok"]
    row = Row(
        records[0]["model"],
        "baseline" if records[0].get("baseline") else "model",
        seeds=tuple(dict.fromkeys(record["seed"] for record in records)),
        splits=tuple(dict.fromkeys(map(_split, records))),
        counted=len({record["seed"] for record in good}) if records[0].get("stochastic", True) else 0,
        failed=len(bad),
        prevalence=prevalence(good),
        tied=records[0].get("tied") or "",
    )
    if bad:
        row.status, row.reason = bad[0]["status"], bad[0]["error"]["message"]
    if good:
        row.joint, row.marks = any(map(_is_joint, good)), marks_of(good)
        row.learned = _same(one.get("stream", {}).get("learning", "") for one in good) or ""
        row.threshold = None if any(map(_is_moving, good)) else _same(_threshold(record) for record in good)
        row.source = _same(record["threshold"].get("source") for record in good)
        row.limit = _same(map(short_limit, good))
        row.short = fmean(_by_split([(_split(r), r["counts"].get("short", 0)) for r in good]))
        row.cost = Cost.of(good)
    return _summed(row, [(_split(record), *_found(record["metrics"], record)) for record in good], good, metric)


def _threshold(record: Record) -> float | None:
    """The threshold; ±inf from its text, because JSON numbers cannot be infinite."""
    found = record["threshold"]
    exact = found.get("exact", found.get("value"))
    return None if exact is None else float(exact)


def _is_moving(record: Record) -> bool:
    """Whether slices of a stream have thresholds of their own."""
    return len({one["exact"] for one in record.get("stream", {}).get("slices", ())}) > 1


def _is_joint(record: Record) -> bool:
    """Whether a score depended on other units, or the model declares that it may."""
    alone = record.get("audit", {}).get("alone", {})
    return bool(alone == "declared" or alone.get("differ"))


def _summed(
    row: Row,
    found: Sequence[tuple[int, Mapping[str, Any], float | None]],
    records: Sequence[Record],
    metric: str,
) -> Row:
    """Means and intervals over (split, headline metrics, the other F1); over splits if there are several."""
    row.runs = len(found)
    several = len({split for split, *_ in found}) > 1
    varied = any(metrics != found[0][1] for _, metrics, _ in found) and (
        not several or bool(redraws(records[0]["protocol"]))
    )
    overlapping = records if several else ()
    for name in dict.fromkeys((*METRICS, *(name for _, metrics, _ in found for name in metrics))):
        values = _by_split([(split, metrics.get(name)) for split, metrics, _ in found])
        row.metrics[name] = fmean(values) if values else None
        bounds = mean_interval(name, values, overlapping) if varied and name in (*INTERVALS, metric) else None
        if bounds is not None:
            row.bounds[name] = bounds
    others = _by_split([(split, other) for split, _, other in found])
    row.other = fmean(others) if others else None
    return row


def _by_split(pairs: Sequence[tuple[int, float | None]]) -> list[float]:
    """Values of one split, or the mean of each split; empty if one is undefined."""
    known = [(split, value) for split, value in pairs if value is not None]
    if len(known) < len(pairs):
        return []
    splits = dict.fromkeys(split for split, _ in known)
    if len(splits) < 2:
        return [value for _, value in known]
    return [fmean(value for one, value in known if one == split) for split in splits]


def _found(metrics: Mapping[str, Any], record: Record) -> tuple[Mapping[str, Any], float | None]:
    """Headline metrics, and F1 of the other choice of duplicates."""
    first, second = ("all", "distinct") if record["protocol"]["duplicates"] == "all" else ("distinct", "all")
    found = metrics.get(_headline(metrics, record), {})
    return found.get(first) or {}, (found.get(second) or {}).get("f1")


def _headline(metrics: Mapping[str, Any], record: Record) -> str:
    """Key of the metrics of units; of another evaluator's where there are none of these."""
    unit: str = record["dataset"].get("unit", "")
    return unit if unit in metrics else next(iter(metrics), "")


def _split(record: Record) -> int:
    seed: int = record["protocol"]["split_seed"]
    return seed


def _same(values: Iterator[Any]) -> Any:
    different = list(dict.fromkeys(values))
    return different[0] if len(different) == 1 else None
