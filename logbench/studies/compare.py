"""Whether runs may be compared, which is worse, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ..api.record_sections import Record
from ..base.errors import ConfigError, DataError
from ..components.registry import Registry
from ..evaluation.cells import METRICS
from ..evaluation.distinct_units import distinct_units
from ..evaluation.intervals import Interval, paired
from ..evaluation.metrics import direction, figure, figures, loss
from ..evaluation.paired_tests import alike, mcnemar, swapped
from ..running import records
from .many_models import holm
from .recomputed import bootstrapped


def incompatibilities(first: Record, other: Record) -> list[str]:
    """What forbids to compare two runs: data set, split, protocol as asked for.

    The limit of short units may differ, where each model has its own; see `common_units` for units left out by it.
    """
    pairs = {
        "data set": (_dataset(first), _dataset(other)),
        "split": (first["split"].get("digest"), other["split"].get("digest")),
        "protocol": (_protocol(first), _protocol(other)),
    }
    return [f"{name} ({_difference(a, b)})" for name, (a, b) in pairs.items() if a != b]


def _otherwise_computed(first: Record, other: Record, metric: str) -> list[str]:
    """Options of the metric's evaluator that differ."""
    owner = metric.rpartition(".")[0]
    ours, theirs = (record.get("config", {}).get("evaluators", {}).get(owner) for record in (first, other))
    return [f"{owner} ({_difference(ours, theirs)})"] if ours is not None and theirs not in (None, ours) else []


def _dataset(record: Record) -> dict[str, Any]:
    names = ("name", "digest", "normal_total", "anomaly_total", "source", "source_digest")
    return {name: record["dataset"].get(name) for name in names}


def _protocol(record: Record) -> dict[str, Any]:
    return {name: value for name, value in record["protocol"].items() if name != "hash"}


def _difference(first: Any, other: Any) -> str:
    if not isinstance(first, dict):
        return f"{first} against {other}"
    names = [name for name in first if first[name] != other.get(name)]
    return ", ".join(f"{name}: {first[name]} against {other.get(name)}" for name in names)


def compare(runs: Sequence[Record], metric: str, tolerance: float) -> list[dict[str, Any]]:
    """One row a run against the first: the metric, the difference, and whether it is worse in its direction.

    Args:
        metric: as `metrics.named` calls it, such as `f1` or `cost.cost`.
        tolerance: how much worse is not yet worse.

    Raises:
        DataError: unlike data sets, splits or protocols, or a run without metrics.
        ConfigError: there is no such metric, it is undefined, or it has no direction.
    """
    first = runs[0]
    rows: list[dict[str, Any]] = []
    for record in runs:
        if found := [*incompatibilities(first, record), *_otherwise_computed(first, record, metric)]:
            raise DataError(f"{first['run_id']} and {record['run_id']} are not comparable: {'; '.join(found)}")
        rows.append(
            {
                "run": record["run_id"],
                "model": record["model"],
                "seed": record["seed"],
                metric: _value(record, metric),
                "direction": direction(record, metric),
            }
        )
    for row in rows:
        if row["direction"] != rows[0]["direction"]:
            raise DataError(f"{row['run']}: {metric} is better {row['direction']}, unlike in {rows[0]['run']}")
        row["difference"] = row[metric] - rows[0][metric]
        row["worse"] = loss(row["direction"], rows[0][metric], row[metric]) > tolerance
    return rows


def _value(record: Record, metric: str) -> float:
    if not figures(record):
        why = error["message"] if (error := record.get("error")) else _why_none(record)
        raise DataError(f"{record['run_id']} has no metrics: {why}")
    value = figure(record, metric)
    if value is None:
        raise ConfigError(f"{metric} of {record['run_id']} is undefined")
    return value


def confidence(
    first: Record,
    other: Record,
    folder: Path,
    metric: str,
    swaps: int,
    seed: int,
    common: pl.Series | None = None,
    *,
    registry: Registry | None = None,
    resamples: int = 0,
) -> tuple[dict[str, Any], list[str]]:
    """How sure the difference of two comparable runs is, from their stored scores, and what cannot be said.

    Args:
        swaps: how many assignments `pairs.swapped` draws. seed: seeds them.
        common: index of the units to look at, where the runs drop different ones; None: all that they judged.
        registry, resamples: for a metric that does not follow from verdicts: where its evaluator is found, and how
            often it is asked again.

    Returns:
        `low`, `high` (95% interval of the difference, see `intervals.paired` and `bootstrap.paired`), `clusters`,
        `effective` (number of clusters), `p` (see `pairs.swapped`), and `mcnemar` (None where units are weighted);
        None where unknown.

    Raises:
        DataError: the scores are of other units.
    """
    result: dict[str, Any] = dict.fromkeys(("low", "high", "clusters", "effective", "p", "mcnemar"))
    try:
        ours, theirs = both(first, other, folder, common)
    except LostScoresError as error:
        return result, [f"no interval: {error}"]
    notes = []
    if metric in METRICS:
        found = paired(ours, theirs, metric)
        result |= {name: getattr(found, name) for name in ("low", "high", "clusters", "effective")}
        result["p"] = swapped(ours, theirs, metric, swaps=swaps, seed=seed)
        notes += [f"{other['run_id']}: {text}" for text in _doubts(found, ours, theirs)]
    elif registry is not None and resamples:
        judged = tuple(_only(labelled_test_scores(record, folder), common) for record in (first, other))
        made, why = bootstrapped(
            (first, other), (judged[0], judged[1]), metric, registry, resamples=resamples, seed=seed
        )
        if made is not None:
            result |= {name: getattr(made, name) for name in ("low", "high", "clusters", "effective")}
        if why:
            notes.append(f"{other['run_id']}: no interval of {metric}: {why.removeprefix('no interval: ')}")
    try:
        result["mcnemar"] = mcnemar(ours, theirs)
        if ours["sequence"].n_unique() < len(ours):
            notes.append(
                "McNemar's test takes units for independent; here sequences repeat, so its p is too small"
            )
    except DataError as error:
        notes.append(f"no McNemar's test: {error}")
    return result, notes


def correct(rows: Sequence[dict[str, Any]]) -> None:
    """Add `p_holm` to rows that `sure` gave a `p`: corrected for their number (`many_models.holm`)."""
    known = [row for row in rows if row.get("p") is not None]
    for row, value in zip(known, holm([row["p"] for row in known]), strict=True):
        row["p_holm"] = value


def _doubts(found: Interval, ours: pl.DataFrame, theirs: pl.DataFrame) -> Iterator[str]:
    if alike(ours, theirs):
        yield "both runs give every unit the same verdict, so its interval only says what other units could bring"
    if found.why_none:
        yield found.why_none


class LostScoresError(DataError):
    """A run has no stored scores."""


def both(
    first: Record, other: Record, folder: Path, common: pl.Series | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The units of the headline as two comparable runs judged them, in the same order.

    Args:
        common: see `confidence`.

    Raises:
        LostScoresError: the scores of one are gone. DataError: they are of other units.
    """
    try:
        ours, theirs = (_only(labelled_test_scores(record, folder), common) for record in (first, other))
    except DataError as error:
        raise LostScoresError(str(error)) from error
    return aligned(first, other, ours, theirs)


def aligned(
    first: Record, other: Record, ours: pl.DataFrame, theirs: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The units of the headline as two runs judged them.

    Args:
        ours, theirs: what `judged` gives of the first run and of the other, on the units that count.

    Raises:
        DataError: they are of other units.
    """
    if not ours["index"].equals(theirs["index"]):
        raise DataError(f"{first['run_id']} and {other['run_id']} judged other units, so they cannot be paired")
    if first["protocol"]["duplicates"] == "unique":
        pair = distinct_units(ours.with_columns(theirs=theirs["verdict"]), judged=("verdict", "theirs"))
        return pair, pair.with_columns(verdict="theirs")
    return ours, theirs


def _only(frame: pl.DataFrame, units: pl.Series | None) -> pl.DataFrame:
    return frame if units is None else frame.filter(pl.col("index").is_in(units.implode()))


def labelled_test_scores(record: Record, folder: Path, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Stored scores of the labelled test units that the protocol does not drop, in order.

    Args:
        columns: those to read, with `part`, `index`, `label` and `verdict`; None: all.
    """
    chosen = (pl.col("part") == "test") & (pl.col("label") >= 0) & pl.col("verdict").is_not_null()
    return records.scores(record, folder, columns).filter(chosen).sort("index")


def headline_units(record: Record, folder: Path) -> pl.DataFrame:
    """What `judged` gives, or the distinct ones of these where they make the headline."""
    units = labelled_test_scores(record, folder)
    return units if record["protocol"]["duplicates"] == "all" else distinct_units(units)


def _why_none(record: Record) -> str:
    if record["metrics"]:
        return "distinct units are not known where a class is subsampled; rescore it with protocol.duplicates=all"
    return "its data have no labels"
