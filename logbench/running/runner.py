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
from ..base.errors import IncompatibleError
from ..base.failure import failure_of
from ..base.files import aside, write_parquet
from ..base.jsonable import part_of, several, shorten, to_jsonable
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
from .prepare import Prepared, RunCache, prepare
from .provenance import environment, source
from .resolve import ResolvedPlan, resolve
from .results import add_events, write_metrics, write_threshold
from .stages import Stages

READERS = ("dataset", "parser", "windower")
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


def run_all(jobs: Iterable[ResolvedPlan], registry: Registry, bars: Bars) -> Iterator[RunRecord]:
    """Run jobs one after another in this process; what they have in common is done once."""
    shared, models = RunCache(), InProcess()
    for resolved in jobs:
        record = execute(resolved, registry, shared, bars, models)
        records.append(record, resolved.plan.out)
        yield record


def execute(resolved: ResolvedPlan, registry: Registry, shared: RunCache, bars: Bars, models: Models) -> RunRecord:
    """One run; the caller keeps the record. Errors end up in it; only an interruption passes.

    What plugins print goes to standard error, and a working directory that they change is changed back.

    Args:
        models: where models run.
    """
    with aside(not resolved.plan.cache), contextlib.redirect_stdout(sys.stderr), contextlib.chdir("."):
        return _execute(resolved, registry, shared, bars, models)


def _execute(
    resolved: ResolvedPlan, registry: Registry, shared: RunCache, bars: Bars, models: Models
) -> RunRecord:
    record = new_record(resolved)
    record.isolation = models.isolation
    stages = Stages(registry, bars)
    if shared.contended:
        record.environment = {**record.environment, "contended": shared.contended}
    registry.notify("run_started", plan=resolved.plan)
    note, data_note = _notes(record, bars, record.model), _notes(record, bars, resolved.dataset.name)
    try:
        check_fit(resolved)
        model = running_model(resolved, models, note)  # where it has a process, that starts while data are read
        if resolved.plan.save is not None and not model.can("save"):
            raise IncompatibleError(
                f"--save: model {resolved.model.name} cannot be saved, it has no method save(folder)"
            )
        prepared = prepare(resolved, registry, shared, stages, data_note)
        _describe(record, resolved, prepared)
        note_data(resolved, prepared, data_note)
        context = context_for(resolved, prepared, note)
        scored = fit_and_score(resolved, prepared, context, stages, model)
        models.check()
        record.training, record.audit["labels"] = dict(scored.training), scored.labels
        _keep(resolved, prepared, scored, record)  # before anything else can go wrong
        decision = _decide(resolved, scored.frame, stages, record, note)
        with guarded(_notes(record, bars, " ".join(part.name for part in resolved.evaluators))):
            _evaluate(resolved, prepared, decision, stages, record)
            if scored.events is not None:
                built = {part.name: part.build() for part in resolved.evaluators}
                add_events(record, scored.events, resolved.protocol, built, note)
        with stages("store"):
            _store(
                resolved,
                explained(decision.frame, prepared.sessions, model, context, resolved.needs_times),
                record,
            )
        _note_conduct(record, model, scored, note)
        if resolved.plan.save is not None:
            save_bundle(resolved.plan.save, resolved, prepared, model, record)
    except IncompatibleError as error:
        _fail(record, "skipped", stages.current, error)
    except (Exception, SystemExit) as error:
        _fail(record, "error", stages.current, error)
    models.finish(keep=record.status != "error" and resolved.supervision != "supervised")
    record.stages = stages.done
    identity.settle(record, resolved)
    registry.notify("run_finished", record=record)
    return record


def running_model(resolved: ResolvedPlan, models: Models, note: Callable[[str], None]) -> RunningModel:
    """The model of a job where it is to run; the members of a combination each where they belong."""
    asked = {
        "seed": resolved.plan.seed,
        "data": str(resolved.plan.data),
        "components": {kind: (getattr(resolved, kind).name, resolved.config[kind]) for kind in READERS},
        "protocol": resolved.protocol.as_dict(),
        "totals": dataclasses.asdict(resolved.totals),
    }
    fresh_for = json.dumps(to_jsonable(asked))
    built = models.build(resolved.model.parts, fresh_for, note)
    if resolved.model.entry.members:
        return RunningCombination(resolved.model.parts, built)
    return built[0]


def _keep(resolved: ResolvedPlan, prepared: Prepared, scored: Scored, record: RunRecord) -> None:
    """Store what no decision changes, and what `rescore` needs to decide from it."""
    record.threshold = resolved.model.own.as_dict()
    record.counts = {"short_limit": resolved.short_limit, "needed": resolved.model.min_events}
    frames = {"scores": scored.frame, "templates": templates_frame(prepared.grouped, prepared.vocabulary)}
    if scored.events is not None:
        frames["events"] = scored.events
    for name, frame in frames.items():
        write_parquet(frame, resolved.plan.out / record.run_id / f"{name}.parquet")
        record.artifacts[name] = f"{record.run_id}/{name}.parquet"


def _store(resolved: ResolvedPlan, frame: pl.DataFrame, record: RunRecord) -> None:
    """Put the decisions beside the stored scores."""
    write_parquet(frame, resolved.plan.out / record.artifacts["scores"])


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


def new_record(resolved: ResolvedPlan) -> RunRecord:
    card = resolved.card
    return RunRecord(
        **records.new_run(resolved.model.name),
        model=resolved.model.name,
        command=resolved.plan.command,
        plugins=identity.plugins(resolved.parts),
        components=identity.components(resolved),
        dataset={"name": resolved.dataset.name, "simulated": card.simulated, "unit": resolved.unit},
        protocol=resolved.protocol.as_dict(),
        preset=resolved.preset,
        config=resolved.config,
        seed=resolved.plan.seed,
        stochastic=resolved.model.entry.item.traits.stochastic,
        baseline=resolved.plan.baseline,
        environment={**environment(), "device": resolved.plan.device},
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


def _describe(record: RunRecord, resolved: ResolvedPlan, prepared: Prepared) -> None:
    labels, split = prepared.grouped.units["label"], prepared.split
    record.dataset |= {
        "path": str(prepared.path),
        "digest": prepared.digest,
        "sessions": len(prepared.sessions),
        "anomalies": int((labels == 1).sum()),
        "distinct": len(prepared.sessions.distinct),
        "keys": prepared.vocabulary.size,
        **prepared.vocabulary.facts,
        "normal_total": resolved.totals.normal_total,
        "anomaly_total": resolved.totals.anomaly_total,
        **prepared.grouped.facts,
    }
    record.split = {
        "seed": resolved.protocol.split_seed,
        **split_facts(split, prepared.grouped.units),
        "shared_lines": prepared.audit["shared_lines"],
    }
    record.audit = dict(prepared.audit)


def context_for(resolved: ResolvedPlan, prepared: Prepared, note: Callable[[str], None]) -> Context:
    """What the model gets beside its data; held-out units have no labels."""
    _, held = learning_parts(resolved, prepared)
    return Context(
        seed=resolved.plan.seed,
        device=resolve_device(resolved.plan.device),
        held_out=held.sessions if len(held.sessions) else None,
        alpha=resolved.protocol.alpha,
        events=has_labels(prepared.sessions),
        note=note,
    )


def check_fit(resolved: ResolvedPlan) -> None:
    """What can be told before anything is read, so that no one waits for 11 million lines to hear it.

    Raises:
        IncompatibleError: the device is not to be had, or model, protocol and data set do not go together.
    """
    resolve_device(resolved.plan.device)
    _ = resolved.short_limit
    if resolved.protocol.label_noise and "line_labels" in resolved.model.entry.item.traits.needs:
        raise IncompatibleError(
            "protocol.label_noise: the model learns from labels of lines, and only those of units flip"
        )
    if resolved.supervision == "supervised" and resolved.protocol.content != "labelled":
        raise IncompatibleError(
            "supervised: it needs protocol.content=labelled, so add --set protocol.content=labelled"
        )
    check_held_out(resolved.protocol, resolved.model.own)


def resolve_device(choice: str) -> str:
    """`auto` as `cuda`, `mps` or `cpu`; torch is imported only where an accelerator may be there.

    Raises:
        IncompatibleError: the device asked for is not to be had.
    """
    maybe = sys.platform == "darwin" or any(Path("/dev").glob("nvidia[0-9]*")) or Path("/dev/dxg").exists()
    if choice == "cpu" or (choice == "auto" and not maybe):
        return "cpu"
    import torch

    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if choice == "auto":
        return next((name for name, there in found.items() if there), "cpu")
    if not found.get(choice, False):
        raise IncompatibleError(f"device {choice} is not available here; use --device cpu")
    return choice


def _decide(
    resolved: ResolvedPlan, scored: pl.DataFrame, stages: Stages, record: RunRecord, note: Any
) -> Decision:
    with stages("threshold"):
        decision = decide(scored, resolved.protocol, resolved.model.own, short_limit=resolved.short_limit)
        write_threshold(record, decision, resolved.model.own, resolved.model.min_events)
    _note_short(resolved, decision, note)
    if decision.threshold["source"] == "oracle":
        note("threshold = oracle: chosen on the test labels, so this is no honest result")
    if not decision.threshold["reliable"]:
        need = int(np.ceil(1 / resolved.protocol.alpha))
        held = several(decision.threshold["held_out"], "held-out unit")
        note(f"threshold from {held}, {need} are needed for alpha "
             f"{resolved.protocol.alpha:g}: unreliable")  # fmt: skip
    if decision.threshold["value"] == np.inf and decision.threshold["source"] == "validation":
        note("the threshold is infinite, so that only rules alarm: too many held-out units score infinity")
    return decision


def _note_short(resolved: ResolvedPlan, decision: Decision, note: Callable[[str], None]) -> None:
    """Say where a rule, and not the model, decides most of the test."""
    short, tested, limit = decision.counts["short"], decision.units.height, resolved.short_limit
    if 2 * short >= tested > 0 and short:
        what = {"flag": "an alarm", "miss": "no alarm", "drop": "left out"}[resolved.protocol.short]
        note(
            f"{part_of(short, tested, f'tested {resolved.unit}', 'has', 'have')} fewer than "
            f"{several(limit, 'event')}: {what}, by protocol.short={resolved.protocol.short} and not by the model; "
            "see protocol.min_events"
        )


def _evaluate(
    resolved: ResolvedPlan, prepared: Prepared, decision: Decision, stages: Stages, record: RunRecord
) -> None:
    with stages("evaluate") as stage:
        evaluators = {part.name: part.build() for part in resolved.evaluators}
        write_metrics(record, decision.units, evaluators, prepared.weighted)
        stage.items = decision.units.height
    if not record.metrics:
        record.notes.append("no labels, so no metrics; the ranked sessions: logbench show last")
