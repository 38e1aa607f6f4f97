"""One trained model under every choice that the protocol leaves after scoring: why published F1 differ."""

from __future__ import annotations

import contextlib
import itertools
import sys
from collections.abc import Iterator
from typing import Any

import polars as pl

from ..api.plan import Plan
from ..api.protocol import EvaluationProtocol
from ..base.errors import IncompatibleError
from ..base.progress_bars import Bars
from ..components.registry import Registry
from ..evaluation.metrics import named
from ..evaluation.thresholds import ThresholdTraits
from ..evaluation.verdicts import Decision, decide, metrics_of, rule
from ..running.fitting import fit_and_score
from ..running.models import Models
from ..running.prepare import RunCache, prepare
from ..running.resolve import ResolvedPlan, resolve
from ..running.runner import check_fit, context_for, running_model
from ..running.stages import Stages
from ..running.worker_tasks import WorkerState

RULE = "unseen_or_short"
CHOICES: dict[str, tuple[str, ...]] = {
    "short": ("flag", "drop", "miss"),
    "unseen": ("target", "anomalous", "ignore"),
    "threshold": ("validation", "fixed", "oracle"),
    "duplicates": ("all", "unique"),
}


def rows_of(bench: WorkerState, plan: Plan) -> Iterator[dict[str, Any]]:
    """The task of a worker: see `variants`."""
    yield from variants(resolve(plan, bench.registry), bench.registry, bench.bars, bench.models)


def variants(resolved: ResolvedPlan, registry: Registry, bars: Bars, models: Models) -> Iterator[dict[str, Any]]:
    """Train once, then one row a choice of short, unseen, threshold and duplicates.

    Yields:
        `protocol` (every field), `short_limit`, `threshold`, `metrics` and `trivial` (of the rule *unseen or
        short*) for the chosen duplicates, by the names of `metrics.named`, and `difference` (F1 of the model less
        that of the rule, None where no evaluator gives it). A choice that the model or the data cannot serve has
        `skipped` with the reason instead.

    Raises:
        DataError, IncompatibleError: nothing can be trained at all.
    """
    check_fit(resolved)
    stages = Stages(registry, bars)
    with contextlib.redirect_stdout(sys.stderr):
        model = running_model(resolved, models, bars.note)
        prepared = prepare(resolved, registry, RunCache(), stages, bars.note)
        scored = fit_and_score(resolved, prepared, context_for(resolved, prepared, bars.note), stages, model).frame
        models.check()
    for choice in itertools.product(*CHOICES.values()):
        chosen: dict[str, Any] = dict(zip(CHOICES, choice, strict=True))
        protocol = EvaluationProtocol.of(resolved.protocol.as_dict(), **chosen)
        row = {"model": resolved.model.name, "seed": resolved.plan.seed, "dataset": resolved.dataset.name}
        row |= {"protocol": protocol.as_dict(), "short_limit": resolved.short_limit}
        yield {**row, **evaluate_under(resolved, scored, protocol, resolved.model.own, prepared.weighted)}


def evaluate_under(
    resolved: ResolvedPlan,
    scored: pl.DataFrame,
    protocol: EvaluationProtocol,
    own: ThresholdTraits,
    weighted: bool,
) -> dict[str, Any]:
    """What scores come to: `threshold`, `counts`, `metrics`, `trivial`, `difference`; or `skipped` and why."""
    needs = resolved.model.min_events, resolved.model.name
    try:
        decision = decide(scored, protocol, own, short_limit=protocol.short_limit(*needs))
        facts = {"threshold": decision.threshold, "counts": decision.counts}
        return {**facts, **_measured(resolved, protocol, decision, weighted)}
    except IncompatibleError as error:
        return {"skipped": str(error)}


def _measured(
    resolved: ResolvedPlan, protocol: EvaluationProtocol, decision: Decision, weighted: bool
) -> dict[str, Any]:
    """Headline metrics of the model and of the rule, by name, and the difference in F1."""
    evaluators = {part.name: part.build() for part in resolved.evaluators}
    found = metrics_of(decision.units, evaluators, resolved.unit, weighted)
    if not found:
        raise IncompatibleError("the data have no labels")
    model = named(found, resolved.unit, protocol.duplicates)
    if not model:
        raise IncompatibleError("distinct units are not known where a class is subsampled")
    trivial = metrics_of(rule(decision.units, RULE), evaluators, resolved.unit, weighted)
    ruled = named(trivial, resolved.unit, protocol.duplicates)
    sides = model.get("f1"), ruled.get("f1")
    difference = None if sides[0] is None or sides[1] is None else sides[0] - sides[1]
    return {"metrics": model, "trivial": {RULE: ruled}, "difference": difference}
