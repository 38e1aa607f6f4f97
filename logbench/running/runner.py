"""One run, from plan to record: a straight line of stages."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from ..api.contracts import Context, RunningModel
from ..api.plan import Plan
from ..api.record import RunRecord
from ..base.errors import UnfitError
from ..base.failure import failure_of
from ..base.files import aside, write_parquet
from ..base.jsonable import part_of, plain, several, shorten
from ..base.progress_bars import Bars
from ..base.state_guard import guarded
from ..components.ensemble import RunningCombination
from ..components.registry import Registry
from ..evaluation.line_metrics import has_labels
from ..evaluation.thresholds import check_held_out
from ..evaluation.verdicts import Decision, decide
from ..pipeline.split_facts import split_facts
from ..running import identity, records
from .bundle import save_bundle
from .data_warnings import note_data
from .explain import explained, templates_frame
from .fitting import Scored, fit_and_score, learning_parts
from .models import InProcess, Models
from .prepare import Prepared, Shared, prepare
from .provenance import environment, source
from .resolve import Job, resolve
from .results import add_events, write_metrics, write_threshold
from .stages import Stages

MOST_NOTES = 100
"""Notes of one run that are kept and said."""


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
    """Run jobs one after another in this process; what they have in common is done once."""
    shared, models = Shared(), InProcess()
    for job in jobs:
        record = execute(job, registry, shared, bars, models)
        records.append(record, job.plan.out)
        yield record


def execute(job: Job, registry: Registry, shared: Shared, bars: Bars, models: Models) -> RunRecord:
    """One run; the caller keeps the record. Errors end up in it; only an interruption passes.

    What plugins print goes to standard error, and a working directory that they change is changed back.

    Args:
        models: where models run.
    """
    with aside(not job.plan.cache), contextlib.redirect_stdout(sys.stderr), contextlib.chdir("."):
        return _execute(job, registry, shared, bars, models)


def _execute(job: Job, registry: Registry, shared: Shared, bars: Bars, models: Models) -> RunRecord:
    record = opened(job)
    record.isolation = models.isolation
    stages = Stages(registry, bars)
    if shared.contended:
        record.environment = {**record.environment, "contended": shared.contended}
    registry.notify("run_started", plan=job.plan)
    note, data_note = _notes(record, bars, record.model), _notes(record, bars, job.dataset.name)
    try:
        check_fit(job)
        model = running_model(job, models, note)  # where it has a process, that starts while data are read
        if job.plan.save is not None and not model.can("save"):
            raise UnfitError(f"--save: model {job.model.name} cannot be saved, it has no method save(folder)")
        prepared = prepare(job, registry, shared, stages, data_note)
        _describe(record, job, prepared)
        note_data(job, prepared, data_note)
        context = context_for(job, prepared, note)
        scored = fit_and_score(job, prepared, context, stages, model)
        models.check()
        record.training, record.audit["labels"] = dict(scored.training), scored.labels
        _keep(job, prepared, scored, record)  # before anything else can go wrong
        decision = _decide(job, scored.frame, stages, record, note)
        with guarded(_notes(record, bars, " ".join(part.name for part in job.evaluators))):
            _evaluate(job, prepared, decision, stages, record)
            if scored.events is not None:
                built = {part.name: part.build() for part in job.evaluators}
                add_events(record, scored.events, job.protocol, built, note)
        with stages("store"):
            _store(job, explained(decision.frame, prepared.sessions, model, context, job.needs_times), record)
        _note_conduct(record, model, scored, note)
        if job.plan.save is not None:
            save_bundle(job.plan.save, job, prepared, model, record)
    except UnfitError as error:
        _fail(record, "skipped", stages.current, error)
    except (Exception, SystemExit) as error:
        _fail(record, "error", stages.current, error)
    models.finish(keep=record.status != "error" and job.supervision != "supervised")
    record.stages = stages.done
    identity.settle(record, job)
    registry.notify("run_finished", record=record)
    return record


def running_model(job: Job, models: Models, note: Callable[[str], None]) -> RunningModel:
    """The model of a job where it is to run; the members of a combination each where they belong."""
    fresh_for = json.dumps(plain([job.plan.seed, job.config["dataset"], job.dataset.name, str(job.plan.data),
                                  job.parser.name, job.windower.name, job.config["parser"], job.config["windower"],
                                  job.protocol.as_dict(), dataclasses.asdict(job.totals)]))  # fmt: skip
    built = models.build(job.model.parts, fresh_for, note)
    if job.model.entry.members:
        return RunningCombination(job.model.parts, built)
    return built[0]


def _keep(job: Job, prepared: Prepared, scored: Scored, record: RunRecord) -> None:
    """Store what no decision changes, and what `rescore` needs to decide from it."""
    record.threshold = job.model.own.as_dict()
    record.counts = {"short_limit": job.short_limit, "needed": job.model.min_events}
    frames = {"scores": scored.frame, "templates": templates_frame(prepared.grouped, prepared.vocabulary)}
    if scored.events is not None:
        frames["events"] = scored.events
    for name, frame in frames.items():
        write_parquet(frame, job.plan.out / record.run_id / f"{name}.parquet")
        record.artifacts[name] = f"{record.run_id}/{name}.parquet"


def _store(job: Job, frame: pl.DataFrame, record: RunRecord) -> None:
    """Put the decisions beside the stored scores."""
    write_parquet(frame, job.plan.out / record.artifacts["scores"])


def _fail(record: RunRecord, status: Literal["error", "skipped"], stage: str, error: BaseException) -> None:
    """Say what went wrong. Metrics of a run that failed would be taken for its result, so there are none."""
    record.status, record.error = status, _error(stage, error)
    record.metrics, record.trivial, record.directions, record.bound = {}, {}, {}, {}


def _note_conduct(record: RunRecord, model: RunningModel, scored: Scored, note: Callable[[str], None]) -> None:
    """Say what the model did beside its work, and whether its scores stand alone."""
    if model.opened:
        record.audit["files"] = sorted(model.opened)
        more = f" and {len(model.opened) - 1} more" if len(model.opened) > 1 else ""
        note(f"opened a file that is not its own: {min(model.opened)}{more}; it may hold labels")
    if scored.alone is None:
        record.audit["alone"] = "declared"
        note("scores depend on what else is scored, as the model declares")
        return
    record.audit["alone"] = facts = scored.alone.facts(float(record.threshold["exact"]))
    if facts["differ"]:
        note(f"scores depend on what else is scored: {facts['differ']} of {facts['units']} differ alone")


def opened(job: Job) -> RunRecord:
    card = job.card
    return RunRecord(
        **records.stamp(job.model.name),
        model=job.model.name,
        command=job.plan.command,
        plugins=identity.plugins(job.parts),
        components=identity.components(job),
        dataset={"name": job.dataset.name, "simulated": card.simulated, "unit": job.unit},
        protocol=job.protocol.as_dict(),
        preset=job.preset,
        config=job.config,
        seed=job.plan.seed,
        stochastic=job.model.entry.item.traits.stochastic,
        baseline=job.plan.baseline,
        environment={**environment(), "device": job.plan.device},
        source=source(),
    )


def _notes(record: RunRecord, bars: Bars, of: str) -> Callable[[str], None]:
    """Keeps notes in the record, and says them of a model or a data set."""

    def note(text: str) -> None:
        text = shorten(str(text)) if len(record.notes) < MOST_NOTES else "more notes are left out"
        if text not in record.notes:
            record.notes.append(text)
            bars.note(f"{of}: {text}")

    return note


def _error(stage: str, error: BaseException) -> dict[str, Any]:
    return {"stage": stage, **failure_of(error)}


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
    """What the model gets beside its data; held-out units have no labels."""
    _, held = learning_parts(job, prepared)
    return Context(
        seed=job.plan.seed,
        device=resolve_device(job.plan.device),
        held_out=held.sessions if len(held.sessions) else None,
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
    if job.protocol.label_noise and "line_labels" in job.model.entry.item.traits.needs:
        raise UnfitError(
            "protocol.label_noise: the model learns from labels of lines, and only those of units flip"
        )
    if job.supervision == "supervised" and job.protocol.content != "labelled":
        raise UnfitError("supervised: it needs protocol.content=labelled, so add --set protocol.content=labelled")
    check_held_out(job.protocol, job.model.own)


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


def _decide(job: Job, scored: pl.DataFrame, stages: Stages, record: RunRecord, note: Any) -> Decision:
    with stages("threshold"):
        decision = decide(scored, job.protocol, job.model.own, short_limit=job.short_limit)
        write_threshold(record, decision, job.model.own, job.model.min_events)
    _note_short(job, decision, note)
    if decision.threshold["source"] == "oracle":
        note("threshold = oracle: chosen on the test labels, so this is no honest result")
    if not decision.threshold["reliable"]:
        need = int(np.ceil(1 / job.protocol.alpha))
        held = several(decision.threshold["held_out"], "held-out unit")
        note(f"threshold from {held}, {need} are needed for alpha "
             f"{job.protocol.alpha:g}: unreliable")  # fmt: skip
    if decision.threshold["value"] == np.inf and decision.threshold["source"] == "validation":
        note("the threshold is infinite, so that only rules alarm: too many held-out units score infinity")
    return decision


def _note_short(job: Job, decision: Decision, note: Callable[[str], None]) -> None:
    """Say where a rule, and not the model, decides most of the test."""
    short, tested, limit = decision.counts["short"], decision.units.height, job.short_limit
    if 2 * short >= tested > 0 and short:
        what = {"flag": "an alarm", "miss": "no alarm", "drop": "left out"}[job.protocol.short]
        note(
            f"{part_of(short, tested, f'tested {job.unit}', 'has', 'have')} fewer than {several(limit, 'event')}: "
            f"{what}, by protocol."
            f"short={job.protocol.short} and not by the model; see protocol.min_events"
        )


def _evaluate(job: Job, prepared: Prepared, decision: Decision, stages: Stages, record: RunRecord) -> None:
    with stages("evaluate") as stage:
        evaluators = {part.name: part.build() for part in job.evaluators}
        write_metrics(record, decision.units, evaluators, prepared.weighted)
        stage.items = decision.units.height
    if not record.metrics:
        record.notes.append("no labels, so no metrics; the ranked sessions: logbench show last")
