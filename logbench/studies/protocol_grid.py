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
from ..evaluation.metrics import named
from ..evaluation.rule_baselines import rule
from ..evaluation.threshold_traits import ThresholdTraits
from ..evaluation.unit_metrics import metrics_of
from ..evaluation.verdicts import Decision, decide
from ..running.fit_checks import check_fit
from ..running.fitting import context_for
from ..running.models import running_model
from ..running.prepare import prepare
from ..running.procedures.batch import fit_and_score
from ..running.procedures.inputs import Fitting
from ..running.resolve import ResolvedPlan, resolve
from ..running.runtime import Runtime, current
from ..running.stages import Stages

RULE = "unseen_or_short"
CHOICES: dict[str, tuple[str, ...]] = {
    "short": ("flag", "drop", "miss"),
    "unseen": ("target", "anomalous", "ignore"),
    "threshold": ("validation", "fixed", "oracle"),
    "duplicates": ("all", "unique"),
}


def rows_of(plan: Plan) -> list[dict[str, Any]]:
    """What an executor calls: see `variants`."""
    runtime = current()
    return list(variants(resolve(plan, runtime.registry), runtime))


def variants(resolved: ResolvedPlan, runtime: Runtime) -> Iterator[dict[str, Any]]:
    """Train once, then one row a choice of short, unseen, threshold and duplicates.

    Yields:
        `protocol` (every field), `short_limit`, `threshold`, `metrics` and `trivial` (of the rule *unseen or
        short*) for the chosen duplicates, by the names of `metrics.named`, and `difference` (F1 of the model less
        that of the rule, None where no evaluator gives it). A choice that the model or the data cannot serve has
        `skipped` with the reason instead.

    Raises:
        DataError, IncompatibleError: nothing can be trained at all.
    """
    if resolved.protocol.procedure != "batch":
        raise IncompatibleError(
            f"scores under protocol.procedure={resolved.protocol.procedure} cannot be decided anew; use "
            "procedure=batch"
        )
    check_fit(resolved)
    stages, note = Stages(runtime), runtime.bars.note
    with contextlib.redirect_stdout(sys.stderr):
        model = running_model(resolved, runtime.models, note)
        prepared = prepare(resolved, runtime, stages, note)
        context = context_for(resolved, prepared, note)
        scored = fit_and_score(Fitting(resolved, prepared, context, stages, model)).frame
        runtime.models.check()
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
