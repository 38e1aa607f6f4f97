"""New metrics or thresholds from stored scores, without the model."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from ..api.protocol import EvaluationProtocol, late_fields
from ..api.record import RunRecord
from ..api.record_sections import Record
from ..base.errors import ConfigError, IncompatibleError
from ..base.file_names import path_below
from ..base.files import write_parquet
from ..base.jsonable import several
from ..base.options import fields_of, make
from ..components.configured import ConfiguredComponent, configured
from ..components.entry import RegisteredComponent
from ..components.registry import Registry
from ..data.scores import FIRST_ALARM, KINDS
from ..evaluation.line_metrics import JudgedEvents
from ..evaluation.stream_verdicts import decide_stream
from ..evaluation.threshold_traits import ThresholdTraits, check_value
from ..evaluation.verdicts import Decision, decide
from ..pipeline.leak_audit import THRESHOLDS
from ..running import identity, records, run_names
from ..running.anomaly_kinds import wants_kinds
from ..running.first_alarms import LEARNED, wants_first_alarms
from ..running.procedures.slice_facts import with_metrics
from ..running.provenance import source
from ..running.resolve import evaluators_of
from ..running.results import evaluate, evaluate_events, sections
from ..running.stored import table

SLICED = (
    "protocol.procedure=prequential decides a slice before it scores the next, and models may learn from that: "
    "run again"
)
DECIDED = (
    *("score", "verdict", "decided_by", "short", "flagged", "line", "key", "expected", "why", "telling"),
    *FIRST_ALARM,
)


def rescore(
    old: Record,
    folder: Path,
    changes: Mapping[str, Any],
    evaluators: Sequence[str],
    registry: Registry,
    command: str,
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> RunRecord:
    """Decide and evaluate a run's stored scores again.

    Args:
        old: its record. folder: of the records. changes: fields of the protocol.
        evaluators: names of some beside the run's own, or beside the default ones where its own failed.
        options: evaluator → options that it is given beside those of the run.

    Raises:
        ConfigError: a field that acts before scoring, or `min_events` lower than what was scored.
        IncompatibleError: what the stored scores cannot give, or `min_events` lower than what the model needs.
    """
    for name in changes:
        if name not in fields_of(EvaluationProtocol):
            make(EvaluationProtocol, {name: changes[name]}, "protocol")  # says what there is
    if changes and old["stream"]:
        raise ConfigError(SLICED)
    late = late_fields(bool(old["threshold"].get("uses_alpha")))
    if early := sorted(set(changes) - set(late)):
        raise ConfigError(f"protocol.{early[0]} acts before scoring: run again; here are {', '.join(late)}")
    protocol = EvaluationProtocol.of(old["protocol"], **changes)
    if "value" in changes:
        check_value(protocol, [(old["model"], bool(old["threshold"].get("rule")))])
    stored = records.scores(old, folder)
    limit = protocol.short_limit(needed_events(old, protocol), old["model"])
    parts, missing = evaluators_again(old, evaluators, options or {}, registry)
    decision, made, notes = judged(old, folder, stored, protocol, limit, parts)
    made["audit"] = {**old["audit"], "threshold": THRESHOLDS[decision.threshold["source"]]}
    notes = [*_lacking(old, stored, decision, parts), *notes]
    frame = _with_lines(decision.frame, stored)
    return _store(_reopened(old, protocol, parts, command, [*missing, *notes]) | made, frame, folder)


def judged(
    old: Record,
    folder: Path,
    stored: pl.DataFrame,
    protocol: EvaluationProtocol,
    limit: int,
    parts: Sequence[ConfiguredComponent[Any]],
) -> tuple[Decision, dict[str, Any], list[str]]:
    """Decide a run's stored scores and evaluate the verdicts; nothing is stored.

    Args:
        stored: scores of the run. limit: events below which a unit is short. parts: the evaluators.

    Returns:
        The decision; the sections of a record that follow from it, see `results.sections`; and notes.

    Raises:
        ConfigError: `limit` is lower than what was scored.
        IncompatibleError: what the stored scores cannot give.
    """
    own = ThresholdTraits.of(old["threshold"])
    if slices := old["stream"].get("slices"):
        thresholds = [float(one["exact"]) for one in slices]
        decision = decide_stream(_bare(stored, limit), protocol, own, thresholds, short_limit=limit)
    else:
        decision = decide(undecided(stored, limit), protocol, own, short_limit=limit)
    decision = replace(decision, frame=_with_first_alarms(decision.frame, stored))
    built = {part.name: part.build() for part in parts}
    unit = old["dataset"]["unit"]
    evaluated = evaluate(decision.units, built, unit, is_weighted(old))
    events, notes = _events(old, folder, limit, protocol, built)
    made = sections(decision, own, old["counts"].get("needed"), evaluated, unit, events)
    if (embedded := old["counts"].get("embedded_unseen")) is not None:
        made["counts"]["embedded_unseen"] = embedded
    if slices:
        made["stream"] = with_metrics(old["stream"], decision.units, built, unit, is_weighted(old))
    return decision, made, notes


def _lacking(
    old: Record, stored: pl.DataFrame, decision: Decision, parts: Sequence[ConfiguredComponent[Any]]
) -> list[str]:
    """Say which evaluators read what is not stored, so that their metrics are undefined."""
    found, evaluators = [], {part.name: part.build() for part in parts}
    kinds = ", ".join(name for name, one in evaluators.items() if wants_kinds([one]))
    if kinds and not set(KINDS) <= set(stored.columns):
        found.append(f"evaluator {kinds}: kinds of anomalies are not stored with this run; run again with it")
    alarms = ", ".join(name for name, one in evaluators.items() if wants_first_alarms([one]))
    if not alarms:
        return found
    if old["stream"].get("learning", "kept") != "kept":
        found.append(f"evaluator {alarms}: {LEARNED}")
    elif FIRST_ALARM[0] not in stored.columns:
        found.append(f"evaluator {alarms}: first alarms are not stored with this run; run again with it")
    elif decision.units[FIRST_ALARM[0]].null_count() > stored.filter(part="test")[FIRST_ALARM[0]].null_count():
        found.append(f"evaluator {alarms}: first alarms are known of the stored verdicts alone; run again")
    return found


def evaluators_again(
    old: Record, further: Sequence[str], options: Mapping[str, Mapping[str, Any]], registry: Registry
) -> tuple[list[ConfiguredComponent[Any]], list[str]]:
    """The run's evaluators, with its options, and further ones; and a note on those that are not installed.

    Raises:
        ConfigError: a further one is unknown, or an option.
    """
    offered, own = registry.components["evaluator"], old["config"].get("evaluators", {})
    if old["error"] is not None and old["error"]["stage"] == "evaluate":
        own = {}  # one of them failed it
    added = _named(further, registry)  # one in a file is offered from here on
    here = [name for name in own if name in offered]
    named = {entry.item.name: entry for entry in (*evaluators_of(here, registry), *added)}
    if unknown := [name for name in options if name not in named]:
        raise ConfigError(
            f"--set {unknown[0]}.…: only the protocol and evaluators can change without a new run; here are "
            f"protocol, {', '.join(named)}"
        )
    parts = [configured(entry, {**own.get(name, {}), **options.get(name, {})}) for name, entry in named.items()]
    return parts, [
        f"evaluator {name} is not installed, so its metrics are gone; one in a file: --evaluator ./{name}.py"
        for name in own
        if name not in here
    ]


def _named(names: Sequence[str], registry: Registry) -> list[RegisteredComponent[Any]]:
    return [registry.get("evaluator", name) for name in names]


def _events(
    old: Record,
    folder: Path,
    limit: int,
    protocol: EvaluationProtocol,
    evaluators: Mapping[str, Any],
) -> tuple[JudgedEvents | None, list[str]]:
    """What is said of single events, see `evaluate_events`, and notes."""
    if "events" not in old["artifacts"]:
        return None, []
    if limit != old["counts"].get("short_limit") or not path_below(folder, old["artifacts"]["events"]).exists():
        return None, ["no metrics of events: those of another min_events are not stored"]
    own, stored = ThresholdTraits.of(old["threshold"]), table(old, folder, "events")
    try:
        return evaluate_events(stored, protocol, own, evaluators, limit), []
    except IncompatibleError as error:
        return None, [str(error)]


def needed_events(old: Record, protocol: EvaluationProtocol) -> int:
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
        ConfigError: units of `short_limit` events or more were not scored; or a stream was, whose slices were
            decided one after the other.
    """
    if "slice" in stored.columns:
        raise ConfigError(SLICED)
    return _bare(stored, short_limit)


def _bare(stored: pl.DataFrame, short_limit: int) -> pl.DataFrame:
    scored = stored.drop(name for name in DECIDED if name in stored.columns)
    lacking = scored.filter((pl.col("events") >= short_limit) & pl.col("raw").is_null())
    if len(lacking):
        shortest = int(lacking["events"].to_numpy().min())
        raise ConfigError(
            f"short units below {several(short_limit, 'event')}: units of {several(shortest, 'event')} have no "
            "score; run again"
        )
    return scored


def is_weighted(record: Record) -> bool:
    """Whether a class of the run's data was subsampled and weighted to its true size."""
    return any(record["dataset"].get(name) is not None for name in ("normal_total", "anomaly_total"))


def _reopened(
    old: Record,
    protocol: EvaluationProtocol,
    evaluators: Sequence[ConfiguredComponent[Any]],
    command: str,
    notes: Sequence[str],
) -> dict[str, Any]:
    """Fields of the old record under a new name, with the code that decides and evaluates now."""
    fields = fields_of(RunRecord)
    known: dict[str, Any] = {name: copy.deepcopy(value) for name, value in old.items() if name in fields}
    components = [identity.component(part) for part in evaluators]
    return {
        **known,
        **run_names.new_run(old["model"]),
        "command": command,
        "source": source(),
        "plugins": {**known["plugins"], **identity.plugins(evaluators)},
        "components": {**known["components"], "evaluators": components},
        "config": {**known["config"], "evaluators": {part.name: part.as_dict() for part in evaluators}},
        "protocol": protocol.as_dict(),
        "baseline": False,
        "notes": [f"rescored from {old['run_id']}", *notes],
        "stages": {},
        "status": "ok",
        "error": None,
    }


def _with_lines(frame: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    """Keep what was said of units whose deciding event is the same as before.

    A run that failed before its verdicts has none of these.
    """
    if "decided_by" in stored.columns:
        said = [name for name in ("line", "key", "expected", "why", "telling") if name in stored.columns]
        before = stored.select("index", "decided_by", *said)
        return frame.join(before, on=["index", "decided_by"], how="left", maintain_order="left", nulls_equal=True)
    none = {"line": pl.Int64(), "key": pl.Int32(), "expected": pl.List(pl.Int32)}
    return frame.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in none.items())


def _with_first_alarms(frame: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    """Keep where within units alarms were raised first, as long as all verdicts are what they were.

    A lower threshold of the same verdicts could raise some earlier, but only a model knows.
    """
    if FIRST_ALARM[0] not in stored.columns or "score" not in stored.columns:
        return frame
    before = frame.select("index").join(
        stored.select("index", "score", "verdict", *FIRST_ALARM), "index", maintain_order="left"
    )
    same = frame.select("score", "verdict").equals(before.select("score", "verdict"))
    return frame.with_columns(before[name] if same else pl.lit(None, pl.Int64).alias(name) for name in FIRST_ALARM)


def _store(made: Mapping[str, Any], frame: pl.DataFrame, folder: Path) -> RunRecord:
    name = f"{made['run_id']}/scores.parquet"
    write_parquet(frame, path_below(folder, name))
    artifacts = {kind: path for kind, path in made["artifacts"].items() if kind != "bundle"}
    record = RunRecord(**{**made, "artifacts": {**artifacts, "scores": name}})
    records.append(record, folder)
    return record
