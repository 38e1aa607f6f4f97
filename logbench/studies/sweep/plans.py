"""The runs of a sweep: one plan for each combination of values that act before scoring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict, dataclass, replace
from typing import Any

from ...api.plan import Plan, Settings
from ...api.protocol import SIZES, EvaluationProtocol
from ...components.registry import Registry
from ...running import identity
from ...running.resolve import ResolvedPlan, resolve
from .choices import Choice, combinations


@dataclass(frozen=True)
class SweepRun:
    """One combination of values that act before scoring.

    Attributes:
        values: by the names of the choices. resolved: as asked. plan: what runs, so that each unit has a score
            that some row needs.
        twin: index of the first run of the sweep that is the same; its own where it is that one.
    """

    values: Mapping[str, str]
    resolved: ResolvedPlan
    plan: Plan
    twin: int


def runs_of(plan: Plan, early: Sequence[Choice], late: Sequence[Choice], registry: Registry) -> list[SweepRun]:
    """The runs of a sweep, in the order of their values.

    Args:
        early, late: choices that act before scoring, and after it.

    Raises:
        ConfigError: an unknown value.
    """
    every = combinations(early)
    plans = [_reserving(_with(plan, early, values), early, registry) for values in every]
    jobs = [resolve(one, registry) for one in plans]
    wide = [_scoring_all(one, resolved, late) for one, resolved in zip(plans, jobs, strict=True)]
    return [SweepRun(*of) for of in zip(every, jobs, wide, _twins(jobs), strict=True)]


def without_context(plan: Plan, registry: Registry) -> Plan:
    """The same by the customary protocol and embedding: settings may make sense with what is swept alone."""
    gone = {"protocol", *registry.components["embedding"]}
    return replace(plan, settings=_without(plan.settings, gone), config=_without(plan.config, gone))


def _without(layer: Settings, gone: Set[str]) -> Settings:
    return {name: table for name, table in layer.items() if name not in gone}


def _with(plan: Plan, early: Sequence[Choice], values: Mapping[str, str]) -> Plan:
    others = {name for c in early if c.name == "embedding" for name in c.values} - {values.get("embedding")}
    settings = {name: dict(table) for name, table in _without(plan.settings, others).items()}
    for choice in early:
        if choice.component:
            settings.setdefault(choice.component, {})[choice.key] = values[choice.name]
    whole: dict[str, Any] = {c.name: values[c.name] for c in early if not c.component}
    if "seed" in whole:
        whole["seed"] = int(whole["seed"])
    return replace(plan, settings=settings, **whole)


def _reserving(plan: Plan, early: Sequence[Choice], registry: Registry) -> Plan:
    """The plan with the test set that the largest training share of the sweep leaves, where this one varies."""
    if any("test_reserve" in layer.get("protocol", {}) for layer in (plan.settings, plan.config)):
        return plan
    size = SIZES[resolve(plan, registry).protocol.train]
    swept = next((c.values for c in early if c.component == "protocol" and c.key == size), ())
    if len(swept) < 2:
        return plan
    settings = {**plan.settings, "protocol": {**plan.settings["protocol"], "test_reserve": max(swept, key=float)}}
    return replace(plan, settings=settings)


def _scoring_all(plan: Plan, resolved: ResolvedPlan, late: Sequence[Choice]) -> Plan:
    """The plan under the smallest limit of short units among its own and those swept, so that each unit is scored.

    A limit below what the model needs sets none: its rows are skipped.
    """
    needed = resolved.model.min_events
    swept = next((c.values for c in late if (c.component, c.key) == ("protocol", "min_events")), ())
    asked = [
        resolved.protocol,
        *(EvaluationProtocol.of(resolved.protocol.as_dict(), min_events=value) for value in swept),
    ]
    served = [one.min_events for one in asked if one.min_events == 0 or one.min_events >= needed]
    if not (swept and served):
        return plan
    least = min(served, key=lambda limit: limit or needed)
    table = {**plan.settings.get("protocol", {}), "min_events": least}
    return replace(plan, settings={**plan.settings, "protocol": table})


def _twins(jobs: Sequence[ResolvedPlan]) -> list[int]:
    """For each job the first that is the same run, so that nothing trains twice or looks like more evidence."""
    first: dict[str, int] = {}
    return [first.setdefault(_acting(resolved), at) for at, resolved in enumerate(jobs)]


def _acting(resolved: ResolvedPlan) -> str:
    """A name of what acts in a run: without the seed of a deterministic model, or fields that nothing reads."""
    unread: dict[str, Any] = {} if resolved.protocol.label_noise else {"label_noise_kind": "symmetric"}
    if resolved.protocol.unstable == "none" or not resolved.protocol.unstable_dose:
        unread |= {"unstable": "none", "unstable_dose": 0, "unstable_events": 1, "unstable_in": "test"}
    unread |= dict.fromkeys({"train_units", "train_ratio"} - {SIZES[resolved.protocol.train]}, 1)
    facts = {**resolved.protocol.as_dict(), "hash": None, **unread}
    parts: dict[str, Any] = dict(resolved.single.items())
    parts |= {f"evaluator {part.name}": part for part in resolved.evaluators}
    seed = resolved.plan.seed if resolved.model.entry.item.traits.stochastic else None
    return identity.of(parts, protocol=facts, seed=seed, totals=asdict(resolved.totals)).text
