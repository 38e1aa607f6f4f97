"""Execute one run, from plan to record, one stage after the other."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Unpack

import polars as pl

from ..api.contracts import Context
from ..api.plan import Plan, PlanOptions
from ..api.record import RunRecord, RunRecords
from ..base.errors import IncompatibleError
from ..base.file_names import path_below
from ..base.files import aside, write_parquet
from ..base.progress_bars import Bars
from ..base.state_guard import guarded
from ..components.registry import Registry
from ..data.sessions import Sessions
from ..evaluation.verdicts import Decision
from . import records, run_names
from .anomaly_kinds import wants_kinds, with_kinds
from .asked import check_findable, model_names, plan_fields
from .bundle import save_bundle
from .data_warnings import note_data
from .explain import Counts, explained, names_of, usual_of
from .first_alarms import LEARNED, wants_first_alarms, with_first_alarms
from .fit_checks import check_fit, check_installed
from .fitting import context_for, learning_parts
from .modelless import Modelless
from .models import explaining, running_model
from .prepare import prepare
from .prepared import Prepared
from .procedures import procedure_of
from .procedures.inputs import Fitting
from .procedures.slice_facts import with_metrics
from .resolve import ResolvedPlan, resolve
from .results import Failure, Values, evaluate, evaluate_events, record_of, tables_of
from .run_notes import Notes, conduct_of, note_bound, note_cautions, note_decision
from .runtime import Runtime, current
from .shown_events import shown_events
from .stages import Stages

# Columns of scores that are on disk before anything is evaluated; the whole table follows at the end.
SAVED = ("part", "unit", "label", "raw")
# Stores tables by name under the id of a run.
KeepTables = Callable[[str, Mapping[str, pl.DataFrame]], None]


@dataclass(frozen=True)
class Executed:
    """A finished run: its record, and the tables to store beside it, by name."""

    record: RunRecord
    frames: Mapping[str, pl.DataFrame]


def run(
    models: object,
    *,
    dataset: object,
    seeds: Sequence[int] = (0,),
    registry: Registry | None = None,
    bars: Bars | None = None,
    **options: Unpack[PlanOptions],
) -> list[RunRecord]:
    """Run models on a data set under one protocol, like `logbench run`.

    Args:
        models: one or a list of several, which share the data and the split. Each is a name, a file
            (`"./my_model.py"`), or a class, instance or factory at hand, see `component_of`.
        dataset: a name, a file that defines one, a class or instance at hand, or data in memory: a frame of polars
            or pandas with a line (`message`, and where known `unit`, `time`, `label`) or a key sequence (`keys`,
            `unit`, `label`) a row, `Sessions`, or lists of keys.
        seeds: one run a model and seed.
        registry, bars: by default all installed plugins, and no progress bars.
        options: fields of `Plan`, such as `protocol="field-2e"` or `settings={"deeplog": {"g": 9}}`. Parser,
            windower and evaluators may be at hand, too. `out=None` writes nothing; by default it is `runs`.

    Returns:
        One record a run, also appended to `out/records.jsonl`; its `scores` are a frame. A notebook shows the list
        as a table.

    Raises:
        ConfigError: an unknown name, option or value, or what a component requires is not installed. Later errors
            are in the records.
        PluginError: something at hand is no component.

    Examples:
        >>> class Longest:
        ...     def fit(self, train, context):
        ...         self.mean = train.lengths.mean()
        ...
        ...     def score(self, sessions, context):
        ...         return abs(sessions.lengths - self.mean)
        >>> (record,) = run(Longest(), dataset="hdfs-sim", out=None)
        >>> record.model, record.scores.columns
        ('longest', ['unit', 'score', 'label', 'verdict'])
    """
    registry = (registry or Registry()).copy()
    fields = plan_fields("run", dataset, dict(options), registry)
    names, keep = model_names(models, registry), fields.get("out", "") is not None
    if not keep:
        del fields["out"]
    if fields.get("save") is not None:
        check_findable(registry, "save")
    with bars or Bars(enabled=False) as shown:
        runtime = Runtime.here(registry, shown)
        plans = [Plan(model=name, seed=seed, companions=names, **fields) for name in names for seed in seeds]
        resolved = [resolve(plan, runtime.registry) for plan in plans]
        for one in resolved:
            check_installed(one)
            if keep:
                records.check_folder(one.plan.out)
        return RunRecords(run_all(resolved, runtime) if keep else map(partial(_run_unkept, runtime), resolved))


def run_all(plans: Iterable[ResolvedPlan], runtime: Runtime) -> Iterator[RunRecord]:
    """Run plans one after another in this process; shared steps are done once."""
    for resolved in plans:
        record, folder = run_and_keep(resolved, runtime), resolved.plan.out
        records.append(record, folder)
        runtime.registry.notify("run_finished", record=record, out=folder)
        if "scores" in record.artifacts:
            record.scores_from(partial(records.scores, record.as_dict(), resolved.plan.out))
        yield record


def _run_unkept(runtime: Runtime, resolved: ResolvedPlan) -> RunRecord:
    """Execute one run, and notify plugins of its end; nothing is written."""
    executed = execute(resolved, runtime, lambda run_id, frames: None)
    record, scores = executed.record, executed.frames.get("scores")
    if scores is not None:
        record.scores_from(lambda: scores)
    runtime.registry.notify("run_finished", record=record, out=None)
    return record


def executed_here(plan: Plan) -> tuple[Executed, bool]:
    """Execute one run in whatever process this is, and say whether its tables are in the plan's folder already.

    Raises:
        ConfigError: a name or option that is unknown here. Later errors are in the record.
    """
    runtime = current()
    resolved = resolve(plan, runtime.registry)
    if runtime.stores:
        return Executed(run_and_keep(resolved, runtime), {}), True
    return execute(resolved, runtime, lambda run_id, frames: None), False


def execute(resolved: ResolvedPlan, runtime: Runtime, keep_scores: KeepTables) -> Executed:
    """Execute one run; the caller stores the result. Errors go into the record; only interruptions are raised.

    Prints of plugins go to standard error, and the working directory is restored.

    Args:
        keep_scores: stores what the model gave right after scoring, before an evaluator can kill this process.
    """
    with aside(not resolved.plan.cache), contextlib.redirect_stdout(sys.stderr), contextlib.chdir("."):
        return _execute(resolved, runtime, keep_scores)


def _execute(resolved: ResolvedPlan, runtime: Runtime, keep_scores: KeepTables) -> Executed:
    plan, begun = resolved.plan, run_names.new_run(resolved.model.name)
    stages, notes, values = Stages(runtime), Notes(runtime.bars), Values()
    note, data_note = notes.of(resolved.model.name), notes.of(resolved.dataset.name)
    runtime.registry.notify("run_started", plan=plan)
    try:
        check_fit(resolved)
        procedure = procedure_of(resolved.protocol)
        renewed = partial(running_model, resolved, runtime.models, note)
        model = renewed()  # its process starts while data are read
        if plan.save is not None and resolved.protocol.procedure != "batch":
            raise IncompatibleError("--save keeps a model that is fitted once; use protocol.procedure=batch")
        if plan.save is not None and not model.can("save"):
            name = resolved.model.name
            raise IncompatibleError(f"--save: model {name} cannot be saved because it has no method save(folder)")
        values.prepared = prepared = prepare(resolved, runtime, stages, data_note)
        note_data(resolved, prepared, data_note)
        context = context_for(resolved, prepared, note)
        values.scored = scored = procedure.fit_and_score(
            Fitting(resolved, prepared, context, stages, model, renewed)
        )
        runtime.models.check()
        values.frames = tables_of(prepared, scored)
        keep_scores(begun["run_id"], {**values.frames, "scores": scored.frame.select(SAVED)})
        with stages("threshold"):
            values.decided = decided = procedure.decided(resolved, scored)
        note_decision(resolved, prepared, decided, note)
        asked = (prepared.sessions, explaining(model, scored), context, resolved.needs)
        with guarded(notes.of(" ".join(part.name for part in resolved.evaluators))):
            decided = _evaluate(resolved, prepared, values, asked, stages, notes)
        with stages("store"):
            train = learning_parts(resolved, prepared)[0].sessions
            counts = Counts(usual := usual_of(train), names_of(values.frames["templates"]))
            values.frames = {
                **values.frames,
                "scores": explained(decided.frame, *asked, counts),
                "shown": shown_events(decided.frame, *asked, resolved.short_limit),
            }
        values.conduct = conduct_of(model, scored, decided, note)
        if plan.save is not None:
            save_bundle(plan.save, resolved, prepared, model, begun["run_id"], decided, usual, plan.overwrite)
            values.bundle = plan.save
    except IncompatibleError as error:
        values.failure = Failure("skipped", stages.current, error)
    except (Exception, SystemExit) as error:
        values.failure = Failure("error", stages.current, error)
    failed = values.failure is not None and values.failure.status == "error"
    runtime.models.finish(keep=not failed and resolved.supervision != "supervised")
    return Executed(record_of(resolved, runtime, begun, values, stages, notes.lines), values.frames)


def _evaluate(
    resolved: ResolvedPlan,
    prepared: Prepared,
    values: Values,
    asked: tuple[Sessions, Any, Context, Set[str]],
    stages: Stages,
    notes: Notes,
) -> Decision:
    """Stage evaluate: set `values.evaluated` and `values.events`; the decision, with what evaluators ask for.

    Args:
        values: scored and decided. asked: see `with_first_alarms`.
    """
    assert values.decided is not None and values.scored is not None
    note, decided, events = notes.of(resolved.model.name), values.decided, values.scored.events
    with stages("evaluate") as stage:
        evaluators = {part.name: part.build() for part in resolved.evaluators}
        stream = values.scored.stream
        if wants_first_alarms(evaluators.values()):
            if stream is None or stream.explains:
                values.decided = decided = with_first_alarms(decided, resolved.protocol, *asked)
            else:
                note(LEARNED)
        if wants_kinds(evaluators.values()):
            values.decided = decided = with_kinds(decided, prepared, resolved.windower.build())
        units = decided.units
        asked_of = (units, evaluators, resolved.unit, prepared.weighted)
        named = repr([(part.name, part.as_dict()) for part in resolved.evaluators])
        shared = Modelless.of if stream is not None else partial(prepared.known.of, named=named)
        values.evaluated = evaluate(*asked_of, shared)
        if stream is not None:
            values.stream = with_metrics(stream.facts, *asked_of)
        stage.items = units.height
    note_cautions(evaluators, notes.of)
    note_bound(values.evaluated.metrics, resolved.unit, values.evaluated.bound, note)
    if not values.evaluated.metrics:
        notes.lines.append("no labels, so no metrics; the ranked sessions: logbench show last")
    if events is not None:
        own, limit = resolved.model.own, resolved.short_limit
        try:
            values.events = evaluate_events(events, resolved.protocol, own, evaluators, limit)
        except IncompatibleError as error:
            note(str(error))
    return decided


def run_and_keep(resolved: ResolvedPlan, runtime: Runtime) -> RunRecord:
    """Execute one run and write its tables into the plan's folder; who appends the record tells of its end."""
    folder, stored = resolved.plan.out, dict[str, pl.DataFrame]()
    return _kept(execute(resolved, runtime, partial(_write, folder, stored)), folder, stored)


def keep(executed: Executed, folder: Path) -> RunRecord:
    """Write the tables of a run, none of which is in `folder` yet; return its record."""
    return _kept(executed, folder, {})


def _kept(executed: Executed, folder: Path, stored: dict[str, pl.DataFrame]) -> RunRecord:
    """The record, its tables written, but for those that are `stored`; of a table that cannot be it names none."""
    record = executed.record
    artifacts = {name: _path(record.run_id, name) for name in executed.frames}
    try:
        _write(folder, stored, record.run_id, executed.frames)
    except Exception as error:
        failure = Failure("error", "store", error)
        nothing: dict[str, Any] = {"metrics": {}, "trivial": {}, "directions": {}, "columns": {}, "bound": {}}
        record = replace(record, status=failure.status, error=failure.as_dict(), **nothing)
        artifacts = {name: path for name, path in artifacts.items() if stored.get(name) is executed.frames[name]}
    return replace(record, artifacts={**record.artifacts, **artifacts})


def _write(folder: Path, stored: dict[str, pl.DataFrame], run_id: str, frames: Mapping[str, pl.DataFrame]) -> None:
    """Write the tables that are not `stored` yet."""
    for name, frame in frames.items():
        if stored.get(name) is not frame:
            write_parquet(frame, path_below(folder, _path(run_id, name)))
            stored[name] = frame


def _path(run_id: str, name: str) -> str:
    return f"{run_id}/{name}.parquet"
