"""Build the record of a run, once, from the results of its stages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import polars as pl

from ..api.optional_evaluators import OfUnits
from ..api.protocol import EvaluationProtocol
from ..api.record import RunRecord
from ..api.record_sections import (
    BoundFacts,
    Columns,
    Counts,
    DatasetFacts,
    Directions,
    EnvironmentFacts,
    ErrorFacts,
    Metrics,
    RuleMetrics,
    SourceFacts,
    ThresholdFacts,
)
from ..api.record_split import AuditFacts, SplitFacts
from ..api.record_stream import StreamFacts
from ..base.errors import ConfigError, IncompatibleError
from ..base.failure import failure_of
from ..base.options import toml_values
from ..data.per_unit import events_of_units
from ..evaluation.line_metrics import JudgedEvents, judge
from ..evaluation.metrics import EVENT as UNIT
from ..evaluation.metrics import columns_of, directions_of
from ..evaluation.threshold_traits import ThresholdTraits
from ..evaluation.unit_metrics import metrics_of
from ..evaluation.verdicts import Decision
from ..pipeline.leak_audit import THRESHOLDS
from ..pipeline.split_facts import split_facts
from . import identity
from .explain import templates_frame
from .fitting import Scored
from .modelless import Modelless
from .prepared import Prepared
from .provenance import environment, source
from .resolve import ResolvedPlan
from .runtime import Runtime
from .stages import Stages


@dataclass(frozen=True)
class Evaluated:
    """Results of evaluators on the test units: sections of a record by name."""

    metrics: Metrics
    directions: Directions
    columns: Columns
    bound: BoundFacts
    trivial: RuleMetrics


def evaluate(
    units: pl.DataFrame,
    evaluators: Mapping[str, Any],
    unit: str,
    weighted: bool,
    modelless: Callable[..., Modelless] = Modelless.of,
) -> Evaluated:
    """Metrics of units, of the rules on them, and the upper bound.

    Args:
        units: see `unit_metrics.metrics_of`.
        evaluators: name → Evaluator.
        unit: name of a unit, such as `session`.
        weighted: a class is subsampled.
        modelless: as `Modelless.of`, for what no model moves.
    """
    metrics = metrics_of(units, evaluators, unit, weighted)
    rules = modelless(units, evaluators, unit, weighted)
    declared = directions_of(evaluators, unit), columns_of(evaluators, unit)
    return Evaluated(metrics, *declared, rules.bound, rules.trivial)


def evaluate_events(
    frame: pl.DataFrame,
    protocol: EvaluationProtocol,
    own: ThresholdTraits,
    evaluators: Mapping[str, Any],
    short_limit: int,
) -> JudgedEvents:
    """Metrics of single events by `line_metrics.judge`, with evaluators of units only.

    Raises:
        IncompatibleError: the protocol allows no metrics of events.
    """
    of_units = {name: one for name, one in evaluators.items() if isinstance(one, OfUnits) and one.of_units}
    try:
        return judge(frame, protocol, own, of_units, short_limit=short_limit)
    except IncompatibleError as error:
        raise IncompatibleError(f"no metrics of events: {error}") from None


def sections(
    decision: Decision,
    own: ThresholdTraits,
    needed: int | None,
    evaluated: Evaluated | None,
    unit: str,
    events: JudgedEvents | None,
) -> dict[str, Any]:
    """Sections of a record that follow from scores, such as `threshold`, `counts` and `metrics`.

    Args:
        needed: events of the shortest unit that the model can score; None if unknown.
        unit: name of a unit, such as `session`.
        events: see `evaluate_events`; None without scores of single events.
    """
    threshold = cast(ThresholdFacts, {**decision.threshold, **own.as_dict()})
    counts = cast(Counts, {**decision.counts, "needed": needed})
    made: dict[str, Any] = {"threshold": threshold, "counts": counts}
    if evaluated is not None:
        made |= vars(evaluated)
    if evaluated is None or events is None:
        return made
    threshold["event"], counts["event"] = events["threshold"], events["counts"]
    rules = {
        name: {**evaluated.trivial.get(name, {}), **events["trivial"].get(name, {})}
        for name in {**evaluated.trivial, **events["trivial"]}
    }
    return made | {
        "metrics": {**evaluated.metrics, **events["metrics"]},
        "directions": {**evaluated.directions, UNIT: evaluated.directions.get(unit, {})},
        "trivial": rules,
    }


@dataclass(frozen=True)
class Failure:
    """Why a run ended early, and in which stage."""

    status: Literal["error", "skipped"]
    stage: str
    error: BaseException

    def as_dict(self) -> ErrorFacts:
        """The `error` section of a record."""
        return cast(ErrorFacts, {"stage": self.stage, **failure_of(self.error)})


@dataclass
class Values:
    """Results of the stages of a run, in order; None for stages that were not reached.

    Attributes:
        events: see `evaluate_events`.
        frames: tables to store beside the record, by name; kept even if a later stage fails.
        stream: see `RunRecord.stream`; None in a batch run.
        conduct: see `run_notes.conduct_of`.
        bundle: where the model was saved.
    """

    prepared: Prepared | None = None
    scored: Scored | None = None
    decided: Decision | None = None
    evaluated: Evaluated | None = None
    stream: StreamFacts | None = None
    events: JudgedEvents | None = None
    frames: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    conduct: AuditFacts = field(default_factory=AuditFacts)
    bundle: Path | None = None
    failure: Failure | None = None


def tables_of(prepared: Prepared, scored: Scored) -> dict[str, pl.DataFrame]:
    """Tables of scores, of templates, and of events where single events have scores."""
    tables = {"scores": scored.frame, "templates": _templates(prepared)}
    return tables if scored.events is None else {**tables, "events": scored.events}


def _templates(prepared: Prepared) -> pl.DataFrame:
    """Template of each key, with `training` (Float64): its share of the events of training."""
    sessions, frame = prepared.sessions, templates_frame(prepared.grouped, prepared.vocabulary)
    positions, _ = events_of_units(sessions.offsets, prepared.split.train)
    counts = np.bincount(sessions.keys[positions], minlength=int(sessions.keys.max(initial=0)) + 1)
    shares = pl.DataFrame(
        {"key": pl.Series(range(len(counts)), dtype=pl.Int32), "training": counts / max(len(positions), 1)}
    )
    return frame.join(shares, on="key", how="left", maintain_order="left").with_columns(
        pl.col("training").fill_null(0.0)
    )


def begun(resolved: ResolvedPlan, run: Mapping[str, str]) -> dict[str, Any]:
    """Fields of a record that are known before the run starts, with the present code digests.

    Args:
        run: see `run_names.new_run`.
    """
    data: DatasetFacts = {
        "name": resolved.dataset.name,
        "simulated": resolved.card.simulated,
        "unit": resolved.unit,
    }
    if (trained := resolved.source) is not None:
        data["source"] = {
            "name": trained.dataset.name,
            "config": trained.dataset.as_dict(),
            "windower": {trained.windower.name: trained.windower.as_dict()},
            "components": [identity.component(part) for part in (trained.dataset, trained.windower)],
        }
        data["simulated"] = data["simulated"] or trained.dataset.entry.item.card.simulated
    machine: EnvironmentFacts = {**environment(), "device": resolved.plan.device}
    if resolved.plan.devices > 1:
        machine["devices"] = resolved.plan.devices
    code: SourceFacts = {**source(), "code": identity.core_digest()}
    return {
        **run,
        "model": resolved.model.name,
        "command": resolved.plan.command,
        "plugins": identity.plugins(resolved.parts),
        "components": identity.components(resolved),
        "dataset": data,
        "protocol": resolved.protocol.as_dict(),
        "preset": resolved.preset,
        "config": resolved.config,
        "seed": resolved.plan.seed,
        "stochastic": resolved.model.entry.item.traits.stochastic,
        "needs": sorted(resolved.needs),
        "baseline": resolved.plan.baseline,
        "public_text": public_text_of(resolved),
        "environment": machine,
        "source": code,
    }


def public_text_of(resolved: ResolvedPlan) -> list[str]:
    """Components that hold weights trained on public text, as their traits or cards say."""
    found = []
    for item in (part.entry.item for part in resolved.parts):
        card = getattr(item, "card", None)  # a file, of models alone
        if item.traits.public_text or (isinstance(card, Path) and _card_says(card)):
            found.append(item.name)
    return found


@cache
def _card_says(card: Path) -> bool:
    """Whether the card of a model says that its weights saw public text; one that cannot be read ends no run."""
    with suppress(ConfigError):
        return toml_values(card, str(card)).get("seen_public_text") is True
    return False


def record_of(
    resolved: ResolvedPlan,
    runtime: Runtime,
    run: Mapping[str, str],
    values: Values,
    stages: Stages,
    notes: list[str],
) -> RunRecord:
    """Build the record of a finished run.

    A failed run gets no metrics, because they would be taken for its result.

    Args:
        run: see `run_names.new_run`.
    """
    made = {**begun(resolved, run), "isolation": runtime.models.isolation}
    if runtime.contended:
        made["environment"]["contended"] = runtime.contended
    if (prepared := values.prepared) is not None:
        made["dataset"] |= _data_facts(resolved, prepared)
        split: SplitFacts = {
            "seed": resolved.protocol.split_seed,
            **split_facts(prepared.split, prepared.grouped.units),
            "unstable": prepared.unstable,
            "transfer": prepared.transfer,
            "shared_lines": prepared.audit["shared_lines"],
        }
        checked: AuditFacts = {**prepared.audit, **values.conduct}
        made |= {"split": split, "audit": checked}
        if (embedded := prepared.embedded) is not None:
            made["embedding"] = dict(embedded.facts)
    own, needed = resolved.model.own, resolved.model.min_events
    if (scored := values.scored) is not None:
        made["training"] = dict(scored.training)
        if scored.stream is not None:
            made["stream"] = values.stream or scored.stream.facts
            made["audit"]["stream"] = scored.stream.audit
        made["audit"]["labels"], made["labels"] = scored.told, scored.labels
        made["threshold"] = own.as_dict()
        limits: Counts = {"short_limit": resolved.short_limit, "needed": needed}
        made["counts"] = limits
    if (decided := values.decided) is not None:
        made["audit"]["threshold"] = THRESHOLDS[decided.threshold["source"]]
        evaluated = values.evaluated if values.failure is None else None
        made |= sections(decided, own, needed, evaluated, resolved.unit, values.events)
        if prepared is not None and prepared.embedded is not None:
            made["counts"]["embedded_unseen"] = prepared.embedded.events_unseen(prepared.split.test)
    if values.bundle is not None:
        made["artifacts"] = {"bundle": str(values.bundle)}
    if values.failure is not None:
        made |= {"status": values.failure.status, "error": values.failure.as_dict()}
    return RunRecord(**made, stages=stages.done, notes=[*notes, *identity.gaps(resolved)])


def _data_facts(resolved: ResolvedPlan, prepared: Prepared) -> DatasetFacts:
    fit = prepared.vocabulary.facts
    facts: DatasetFacts = {
        "path": str(prepared.path),
        "digest": prepared.digest,
        "sessions": len(prepared.sessions),
        "anomalies": int((prepared.grouped.units["label"] == 1).sum()),
        "distinct": len(prepared.sessions.distinct),
        "keys": prepared.vocabulary.size,
        "parser_fit_differs": fit["parser_fit_differs"],
        "parser_fit_unmatched": fit["parser_fit_unmatched"],
        "normal_total": resolved.totals.normal_total,
        "anomaly_total": resolved.totals.anomaly_total,
    }
    if prepared.source_digest is not None:
        facts["source_digest"] = prepared.source_digest
    return cast(DatasetFacts, {**facts, **prepared.grouped.facts})  # readers and windowers add counts
