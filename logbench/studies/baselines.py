"""Reference baselines that stand beside the models of every table: which, and how they are run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from ..api.plan import Plan, Settings
from ..api.protocol import EvaluationProtocol
from ..api.traits import ModelTraits
from ..components.registry import Registry
from ..running.resolve import resolve


def beside(plans: Sequence[Plan], registry: Registry, without: Iterable[str] = ()) -> list[Plan]:
    """The plans, and after those of each split the baselines that nobody asked for.

    Models are baselines by their traits, whichever distribution brings them; those that learn from labels only
    where labels train, and only rules where `protocol.value` is set, which is on one model's scale. One that is
    deterministic runs with the first seed alone.

    Args:
        plans: on one data set and protocol but for the split seed, plans of one split together.
        without: names of models that are not wanted.

    Raises:
        ConfigError: an unknown name, option or value.
    """
    protocol = _protocol(plans[0], registry)
    taken = {registry.get("model", name).item.name for name in (*(plan.model for plan in plans), *without)}
    offered = {name: entry.item.traits for name, entry in registry.components["model"].items()}
    chosen = {
        name: traits
        for name, traits in offered.items()
        if traits.baseline and name not in taken and _can_run(traits, protocol)
    }
    result: list[Plan] = []
    for _, group in groupby(plans, key=lambda plan: plan.split_seed):
        asked = [replace(plan, companions=(*plan.companions, *chosen)) for plan in group]
        seeds = list(dict.fromkeys(plan.seed for plan in asked))
        result += asked
        for name, traits in chosen.items():
            result += [_reference(asked[0], name, seed) for seed in (seeds if traits.stochastic else seeds[:1])]
    return result


def _protocol(plan: Plan, registry: Registry) -> EvaluationProtocol:
    """The protocol that a plan asks for; options of components, baselines among them, are looked at later."""
    config, settings = ({"protocol": layer.get("protocol", {})} for layer in (plan.config, plan.settings))
    return resolve(replace(plan, companions=(), config=config, settings=settings), registry).protocol


def _can_run(traits: ModelTraits, protocol: EvaluationProtocol) -> bool:
    """Whether a baseline says something under a protocol: `protocol.value` is on the scale of another model."""
    return (protocol.content == "labelled" or traits.supervision != "supervised") and (
        protocol.value is None or traits.binary_scores
    )


def _reference(asked: Plan, name: str, seed: int) -> Plan:
    """The plan of a baseline beside another; options of `model` are meant for the models that were asked for."""
    return replace(
        asked,
        model=name,
        seed=seed,
        save=None,
        config=_for_all(asked.config),
        settings=_for_all(asked.settings),
        companions=(asked.model, *asked.companions),
        baseline=True,
    )


def _for_all(settings: Settings) -> Mapping[str, Mapping[str, Any]]:
    return {name: table for name, table in settings.items() if name != "model"}
