"""New metrics or thresholds from stored scores, without the model."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ..api.protocol import EvaluationProtocol
from ..api.record import RunRecord
from ..base.errors import ConfigError
from ..base.files import write_parquet
from ..base.jsonable import several
from ..base.options import fields_of, make
from ..components.configured import ConfiguredComponent, configured
from ..components.registry import Registry
from ..evaluation.thresholds import ThresholdTraits, check_value
from ..evaluation.verdicts import decide
from ..running import identity, records
from ..running.provenance import source
from ..running.resolve import evaluators_of
from ..running.results import add_events, write_metrics, write_threshold
from ..running.stored import table

LATE = ("min_events", "short", "unseen", "threshold", "alpha", "value", "oracle_step", "duplicates")
"""Fields of the protocol that act after scoring; all others need a new run."""
DECIDED = ("score", "verdict", "decided_by", "short", "flagged", "line", "key", "expected")


def late_fields(uses_alpha: bool) -> tuple[str, ...]:
    """Those of `LATE` that act after scoring for a model whose trait `uses_alpha` this is."""
    return tuple(name for name in LATE if not (uses_alpha and name == "alpha"))


def rescore(
    old: Mapping[str, Any],
    folder: Path,
    changes: Mapping[str, Any],
    evaluators: Sequence[str],
    registry: Registry,
    command: str,
) -> RunRecord:
    """Decide and evaluate a run's stored scores again.

    Args:
        old: its record. folder: of the records. changes: fields of the protocol.
        evaluators: names; empty: the default ones.

    Raises:
        ConfigError: a field that acts before scoring, or `min_events` lower than what was scored.
        IncompatibleError: what the stored scores cannot give, or `min_events` lower than what the model needs.
    """
    for name in changes:
        if name not in fields_of(EvaluationProtocol):
            make(EvaluationProtocol, {name: changes[name]}, "protocol")  # says what there is
    late = late_fields(bool(old["threshold"].get("uses_alpha")))
    if early := sorted(set(changes) - set(late)):
        raise ConfigError(f"protocol.{early[0]} acts before scoring: run again; here are {', '.join(late)}")
    protocol = EvaluationProtocol.of(old["protocol"], **changes)
    if "value" in changes:
        check_value(protocol, [(old["model"], bool(old["threshold"].get("rule")))])
    stored = records.scores(old, folder)
    limit = protocol.short_limit(_needed(old, protocol), old["model"])
    scored = undecided(stored, limit)
    own = ThresholdTraits.of(old["threshold"])
    decision = decide(scored, protocol, own, short_limit=limit)
    entries = evaluators_of(evaluators, registry)
    parts = [configured(entry) for entry in entries]
    built = {part.name: part.build() for part in parts}
    record = _reopened(old, protocol, parts, command)
    write_threshold(record, decision, own, old["counts"].get("needed"))
    write_metrics(record, decision.units, built, is_weighted(old))
    if "events" in old["artifacts"]:
        _rescore_events(record, old, folder, protocol, built)
    _store(record, decision.frame, stored, folder)
    return record


def _rescore_events(
    record: RunRecord,
    old: Mapping[str, Any],
    folder: Path,
    protocol: EvaluationProtocol,
    evaluators: Mapping[str, Any],
) -> None:
    path = folder / old["artifacts"]["events"]
    if record.counts["short_limit"] != old["counts"].get("short_limit") or not path.exists():
        record.notes.append("no metrics of events: those of another min_events are not stored")
        return
    add_events(record, table(old, folder, "events"), protocol, evaluators, record.notes.append)


def _needed(old: Mapping[str, Any], protocol: EvaluationProtocol) -> int:
    """Events of the shortest unit that the run's model can score; 1 where no one knows and none needs to.

    Raises:
        ConfigError: the record does not say it, but `min_events` is 0.
    """
    needed: int | None = old["counts"].get("needed")
    if needed is None and not protocol.min_events:
        raise ConfigError(
            "protocol.min_events=0: this record is too old to say what its model needs; give a number"
        )
    return needed or 1


def undecided(stored: pl.DataFrame, short_limit: int) -> pl.DataFrame:
    """Stored scores as they were before any decision: the frame that `verdicts` describes.

    Raises:
        ConfigError: units of `short_limit` events or more were not scored.
    """
    scored = stored.drop(name for name in DECIDED if name in stored.columns)
    lacking = scored.filter((pl.col("events") >= short_limit) & pl.col("raw").is_null())
    if len(lacking):
        shortest = int(lacking["events"].to_numpy().min())
        raise ConfigError(
            f"short units below {several(short_limit, 'event')}: units of {several(shortest, 'event')} have no "
            "score; run again"
        )
    return scored


def is_weighted(record: Mapping[str, Any]) -> bool:
    """Whether a class of the run's data was subsampled and weighted to its true size."""
    return any(record["dataset"].get(name) is not None for name in ("normal_total", "anomaly_total"))


def _reopened(
    old: Mapping[str, Any], protocol: EvaluationProtocol, evaluators: Sequence[ConfiguredComponent], command: str
) -> RunRecord:
    """The old record under a new name, with the code that decides and evaluates now."""
    known = {name: value for name, value in old.items() if name in fields_of(RunRecord)}
    record = RunRecord(**{**copy.deepcopy(known), **records.new_run(old["model"])})
    record.command = command
    record.source = source()
    record.plugins |= identity.plugins(evaluators)
    record.components["evaluators"] = [identity.component(part) for part in evaluators]
    record.config["evaluators"] = {part.name: part.as_dict() for part in evaluators}
    record.protocol = protocol.as_dict()
    record.baseline = False
    record.notes = [f"rescored from {old['run_id']}"]
    record.stages = {}
    record.status, record.error = "ok", None
    return record


def _store(record: RunRecord, frame: pl.DataFrame, stored: pl.DataFrame, folder: Path) -> None:
    """Keep line, key and expected keys of units whose deciding event is the same as before.

    A run that failed before its verdicts has none of these.
    """
    if "decided_by" in stored.columns:
        before = stored.select("index", "decided_by", "line", "key", "expected")
        frame = frame.join(before, on=["index", "decided_by"], how="left", maintain_order="left")
    else:
        none = {"line": pl.Int64(), "key": pl.Int32(), "expected": pl.List(pl.Int32)}
        frame = frame.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in none.items())
    name = f"{record.run_id}/scores.parquet"
    write_parquet(frame, folder / name)
    record.artifacts = {**record.artifacts, "scores": name}
    record.artifacts.pop("bundle", None)
    records.append(record, folder)
