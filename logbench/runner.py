"""One run, from plan to record: a straight line of stages."""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from . import record as records
from .audit import labels_given
from .bundle import save_bundle
from .errors import LogbenchError, UnfitError
from .events import add_events, event_frame, has_labels
from .explain import explained, templates_frame
from .frames import Scores, spread
from .interfaces import Context
from .met import note_data
from .outcome import write_metrics, write_threshold
from .plan import Job, Plan, resolve
from .prepare import Prepared, Shared, prepare
from .progress import Bars
from .provenance import code_of, environment, source
from .record import RunRecord
from .registry import Registry
from .split import NORMAL
from .splitfacts import split_facts
from .stages import Stages
from .storage import write_parquet
from .thresholds import check_held_out
from .verdicts import Decision, decide

if TYPE_CHECKING:
    from .frames import Sessions
    from .interfaces import Model


def run(
    models: str | Sequence[str],
    *,
    dataset: str,
    seeds: Sequence[int] = (0,),
    registry: Registry | None = None,
    bars: Bars | None = None,
    **options: Any,
) -> list[RunRecord]:
    """Run models on a data set under one protocol: the same as `logbench run`.

    Args:
        models: one name or several; they share the data and the split.
        seeds: one run a model and seed.
        registry, bars: what to run with; by default all installed plugins, and no progress bars.
        options: fields of `Plan`, such as `protocol="field-2e"` or `settings={"deeplog": {"g": 9}}`.

    Returns:
        One record a run, also appended to `out/records.jsonl`.

    Raises:
        ConfigError: an unknown name, option or value. What goes wrong later is in the records.
    """
    names = (models,) if isinstance(models, str) else tuple(models)
    registry = registry or Registry()
    plans = [
        Plan(model=name, dataset=dataset, seed=seed, companions=names, **options)
        for name in names
        for seed in seeds
    ]
    with bars or Bars(enabled=False) as shown:
        return list(run_all([resolve(plan, registry) for plan in plans], registry, shown))


def run_all(jobs: Iterable[Job], registry: Registry, bars: Bars) -> Iterator[RunRecord]:
    """Run jobs one after another; what they have in common is done once."""
    shared = Shared()
    for job in jobs:
        yield execute(job, registry, shared, bars)


def execute(job: Job, registry: Registry, shared: Shared, bars: Bars) -> RunRecord:
    """One run. Errors end up in the record; only an interruption or an unwritable record passes.

    What plugins print goes to standard error, and a working directory that they change is changed back.
    """
    with contextlib.redirect_stdout(sys.stderr), contextlib.chdir("."):
        return _execute(job, registry, shared, bars)


def _execute(job: Job, registry: Registry, shared: Shared, bars: Bars) -> RunRecord:
    record = opened(job)
    stages = Stages(registry, bars)
    if shared.contended:
        record.environment = {**record.environment, "contended": shared.contended}
    registry.notify("run_started", plan=job.plan)
    note = _notes(record, bars)
    try:
        check_fit(job)
        prepared = prepare(job, registry, shared, stages, note)
        _describe(record, job, prepared)
        note_data(job, prepared, note)
        context = context_for(job, prepared, note)
        model, scored, events = fit_and_score(job, prepared, context, stages, record)
        decision = _decide(job, scored, stages, record, note)
        _evaluate(job, prepared, decision, stages, record)
        if events is not None:
            built = {part.name: part.build() for part in job.evaluators}
            add_events(record, events, job.protocol, built, note)
        _store(job, prepared, decision, events, record, model, context)
        if job.plan.save is not None:
            save_bundle(job.plan.save, job, prepared, model, record)
    except UnfitError as error:
        record.status, record.error = "skipped", _error(stages.current, error)
    except (Exception, SystemExit) as error:
        record.status, record.error = "error", _error(stages.current, error)
    record.stages = stages.done
    records.append(record, job.plan.out)
    registry.notify("run_finished", record=record)
    return record


def opened(job: Job) -> RunRecord:
    card = job.card
    return RunRecord(
        **records.stamp(job.model.name),
        model=job.model.name,
        command=job.plan.command,
        plugins={
            part.entry.plugin.name: {
                "distribution": part.entry.plugin.distribution,
                "version": part.entry.plugin.version,
                "code": code_of(part.entry.plugin.load()),
            }
            for part in job.parts
        },
        dataset={"name": job.dataset.name, "simulated": card.simulated, "unit": job.unit},
        protocol=job.protocol.as_dict(),
        preset=job.preset,
        config=job.config,
        seed=job.plan.seed,
        environment={**environment(), "device": job.plan.device},
        source=source(),
    )


def _notes(record: RunRecord, bars: Bars) -> Any:
    def note(text: str) -> None:
        if text not in record.notes:
            record.notes.append(text)
            bars.note(f"{record.model}: {text}")

    return note


def _error(stage: str, error: BaseException) -> dict[str, Any]:
    message = " ".join(str(error).split()) or type(error).__name__  # MemoryError says nothing
    facts = {"stage": stage, "type": type(error).__name__, "message": message}
    if isinstance(error, OSError) and not isinstance(error, LogbenchError):
        facts["message"] = f"{error.filename or ''}: {error.strerror or error}".removeprefix(": ")
    elif not isinstance(error, LogbenchError):
        if isinstance(error, SystemExit):
            facts["message"] = f"it called sys.exit({error.code!r})"
        facts["traceback"] = "".join(traceback.format_exception(error))
    return facts


def _describe(record: RunRecord, job: Job, prepared: Prepared) -> None:
    labels, split = prepared.grouped.units["label"], prepared.split
    record.dataset |= {
        "path": str(prepared.path),
        "digest": prepared.digest,
        "sessions": len(prepared.sessions),
        "anomalies": int((labels == 1).sum()),
        "distinct": len(prepared.sessions.distinct),
        "keys": prepared.vocabulary.size,
        **prepared.vocabulary.facts,
        "normal_total": job.totals.normal_total,
        "anomaly_total": job.totals.anomaly_total,
        **prepared.grouped.facts,
    }
    record.split = {
        "seed": job.protocol.split_seed,
        **split_facts(split, prepared.grouped.units),
        "shared_lines": prepared.audit["shared_lines"],
    }
    record.audit = dict(prepared.audit)


def context_for(job: Job, prepared: Prepared, note: Callable[[str], None]) -> Context:
    name, units = _learned_from(job, prepared, "held_out", prepared.split.held_out)
    held = prepared.part(name, units, times=_timed(job))
    device = resolve_device(job.plan.device)
    return Context(
        seed=job.plan.seed,
        device=device,
        held_out=held if len(held) else None,
        alpha=job.protocol.alpha,
        events=has_labels(prepared.sessions),
        note=note,
    )


def check_fit(job: Job) -> None:
    """What can be told before anything is read, so that no one waits for 11 million lines to hear it.

    Raises:
        UnfitError: the device is not to be had, or model, protocol and data set do not go together.
    """
    resolve_device(job.plan.device)
    _ = job.short_limit
    if job.plan.save is not None and not hasattr(job.model.build(), "save"):
        raise UnfitError(f"--save: model {job.model.name} cannot be saved, it has no method save(folder)")
    if job.protocol.label_noise and "line_labels" in job.model.entry.item.traits.needs:
        raise UnfitError(
            "protocol.label_noise: the model learns from labels of lines, and only those of units flip"
        )
    if _supervised(job) and job.protocol.content != "labelled":
        raise UnfitError("supervised: it needs protocol.content=labelled, so add --set protocol.content=labelled")
    check_held_out(job.protocol, job.model.own)


def _supervised(job: Job) -> bool:
    return bool(job.model.entry.item.traits.supervision == "supervised")


def _timed(job: Job) -> bool:
    """Whether the model gets times; where a companion needs them, they are there for all."""
    return "times" in job.model.entry.item.traits.needs


def _scored_part(job: Job, prepared: Prepared, units: np.ndarray[Any, Any]) -> Sessions:
    """What the model scores; models of one limit share it (limits give nested sets, so their sizes tell them)."""
    return prepared.part(f"{len(units)} scored", units, times=_timed(job))


def _learned_from(
    job: Job, prepared: Prepared, name: str, units: np.ndarray[Any, Any]
) -> tuple[str, np.ndarray[Any, Any]]:
    """A name for, and the indices of, those of `units` that this model learns from.

    Where labelled units train, a semi-supervised model, which presumes normal ones, gets the normal ones; an
    unsupervised one gets all, a supervised one all with their labels.
    """
    if job.protocol.content != "labelled" or job.model.entry.item.traits.supervision != "semi-supervised":
        return name, units
    assert prepared.sessions.labels is not None
    normal = prepared.sessions.labels[units] == NORMAL
    return f"normal {name}", units[normal]


def resolve_device(choice: str) -> str:
    """`auto` as `cuda`, `mps` or `cpu`; torch is imported only where an accelerator may be there.

    Raises:
        UnfitError: the device asked for is not to be had.
    """
    maybe = sys.platform == "darwin" or any(Path("/dev").glob("nvidia[0-9]*")) or Path("/dev/dxg").exists()
    if choice == "cpu" or (choice == "auto" and not maybe):
        return "cpu"
    import torch

    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if choice == "auto":
        return next((name for name, there in found.items() if there), "cpu")
    if not found.get(choice, False):
        raise UnfitError(f"device {choice} is not available here; use --device cpu")
    return choice


def fit_and_score(
    job: Job, prepared: Prepared, context: Context, stages: Stages, record: RunRecord
) -> tuple[Model, pl.DataFrame, pl.DataFrame | None]:
    """Fit and score. Labels are taken away unless the model is supervised; test labels always.

    Returns:
        The model, the scored units, and the scored events (see `events`) where it scores them.
    """
    sessions, split = prepared.sessions, prepared.split
    model: Model = job.model.build()
    name, learned = _learned_from(job, prepared, "train", split.train)
    train = prepared.part(name, learned, labelled=_supervised(job), times=_timed(job))
    with stages("fit") as stage, contextlib.chdir("."):
        facts = model.fit(train, replace(context, progress=stage.progress))
        record.training = dict(facts or {})
        stage.items = len(train)
    units = np.concatenate([split.held_out, split.test])
    long_enough = sessions.lengths[units] >= job.short_limit
    with stages("score") as stage, contextlib.chdir("."):
        asked = _scored_part(job, prepared, units[long_enough])
        record.audit["labels"] = labels_given(train, [context.held_out, asked], _supervised(job))
        answer = model.score(asked, replace(context, progress=stage.progress))
        scores = Scores.of(answer, len(asked), job.model.name, len(asked.keys))
        stage.items = len(asked)
        stage.facts |= scores.facts
        events = None
        if context.events and scores.events is not None:
            parts = {"held_out": split.held_out, "test": split.test}
            events = event_frame(sessions, parts, scores.events, job.short_limit)
    return model, scored_frame(prepared, units, long_enough, scores), events


def scored_frame(
    prepared: Prepared, units: np.ndarray[Any, Any], scored: np.ndarray[Any, Any], scores: Scores
) -> pl.DataFrame:
    """The frame that `verdicts` describes: one row a held-out or test unit, null scores for short ones.

    Args:
        units: int64, unit indices, held-out ones first. scored: bool [units], which have a score.
    """
    sessions, split = prepared.sessions, prepared.split
    column = partial(spread, where=np.flatnonzero(scored), size=len(units))
    sequence = sessions.distinct.inverse
    in_training = np.zeros(len(sessions.distinct), dtype=bool)
    in_training[sequence[split.train]] = True
    return pl.DataFrame(
        {
            "part": np.repeat(["held_out", "test"], [len(split.held_out), len(split.test)]),
            "unit": sessions.ids.gather(units),
            "index": units,
            "label": pl.Series(sessions.labels).gather(units),
            "weight": sessions.weights[units],
            "events": sessions.lengths[units],
            "unseen": sessions.unseen[units],
            "sequence": sequence[units].astype(np.uint32),
            "repeats": in_training[sequence[units]],
            "raw": column(scores.primary, dtype=pl.Float64),
            "event": column(scores.event, dtype=pl.Int64),
            "ignoring": column(scores.ignoring, dtype=pl.Float64),
            "ignoring_event": column(scores.ignoring_event, dtype=pl.Int64),
            **{name: column(values, dtype=pl.Float64) for name, values in scores.others.items()},
        }
    )


def _decide(job: Job, scored: pl.DataFrame, stages: Stages, record: RunRecord, note: Any) -> Decision:
    with stages("threshold"):
        decision = decide(scored, job.protocol, job.model.own, short_limit=job.short_limit)
        write_threshold(record, decision, job.model.own, job.model.min_events)
    _note_short(job, decision, note)
    if decision.threshold["source"] == "oracle":
        note("threshold = oracle: chosen on the test labels, so this is no honest result")
    if not decision.threshold["reliable"]:
        need = int(np.ceil(1 / job.protocol.alpha))
        note(f"threshold from {decision.threshold['held_out']} held-out units, {need} are needed for alpha "
             f"{job.protocol.alpha:g}: unreliable")  # fmt: skip
    if decision.threshold["value"] == np.inf and decision.threshold["source"] == "validation":
        note("the threshold is infinite, so that only rules alarm: too many held-out units score infinity")
    return decision


def _note_short(job: Job, decision: Decision, note: Callable[[str], None]) -> None:
    """Say where a rule, and not the model, decides most of the test."""
    short, tested, limit = decision.counts["short"], decision.units.height, job.short_limit
    if 2 * short >= tested > 0 and short:
        what = {"flag": "they alarm", "miss": "they do not alarm", "drop": "they are left out"}[job.protocol.short]
        note(
            f"{short:,} of {tested:,} tested {job.unit}s have fewer than {limit} events: {what}, by protocol."
            f"short={job.protocol.short} and not by the model; see protocol.min_events"
        )


def _evaluate(job: Job, prepared: Prepared, decision: Decision, stages: Stages, record: RunRecord) -> None:
    with stages("evaluate") as stage:
        evaluators = {part.name: part.build() for part in job.evaluators}
        write_metrics(record, decision.units, evaluators, prepared.weighted)
        stage.items = decision.units.height
    if not record.metrics:
        record.notes.append("no labels, so no metrics; the ranked sessions: logbench show last")


def _store(
    job: Job,
    prepared: Prepared,
    decision: Decision,
    events: pl.DataFrame | None,
    record: RunRecord,
    model: Model,
    context: Context,
) -> None:
    folder = job.plan.out / record.run_id
    frames = {
        "scores": explained(decision.frame, prepared.sessions, model, context),
        "templates": templates_frame(prepared.grouped, prepared.vocabulary),
        **({"events": events} if events is not None else {}),
    }
    for name, frame in frames.items():
        write_parquet(frame, folder / f"{name}.parquet")
        record.artifacts[name] = f"{record.run_id}/{name}.parquet"
