"""The name `a+b+c` as a component: several models as one, see `ensemble`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..api.components import ModelComponent
from ..api.traits import OF_VECTORS, ModelTraits, Need
from ..base.errors import ConfigError

# A combined score above it means that a member alarms.
THRESHOLD = 1.0


def component(name: str, members: Sequence[ModelComponent[Any]], build: Callable[..., Any]) -> ModelComponent[Any]:
    """A component for the members' combination; its configuration is the tuple of their `ConfiguredComponent`s.

    Args:
        build: makes the model of that tuple.

    Raises:
        ConfigError: a member is named twice, or sees labels, or members want different vectors of an event.
    """
    names = [member.name for member in members]
    if twice := next((one for one in names if names.count(one) > 1), None):
        raise ConfigError(f"model {name}: {twice} is named twice")
    traits = [member.traits for member in members]
    if supervised := [m.name for m in members if m.traits.supervision == "supervised"]:
        raise ConfigError(
            f"cannot combine {name}: {supervised[0]} is supervised, "
            "and only unsupervised and semi-supervised models combine"
        )
    needs = frozenset[Need]().union(*(one.needs for one in traits))
    if needs >= OF_VECTORS:
        of = {need: next(m.name for m in members if need in m.traits.needs) for need in sorted(OF_VECTORS)}
        raise ConfigError(
            f"cannot combine {name}: {of['vectors']} takes vectors of templates, {of['text_vectors']} of messages"
        )
    blind = all(one.supervision == "unsupervised" for one in traits)
    return ModelComponent(
        name,
        build,
        summary=f"the largest of {', '.join(names)}",
        traits=ModelTraits(
            supervision="unsupervised" if blind else "semi-supervised",
            needs=needs,
            wants=frozenset[Need]().union(*(one.wants for one in traits)),
            min_events=lambda parts: max(part.min_events for part in parts),
            keys_only=lambda parts: all(part.keys_only for part in parts),
            joint_scores=any(one.joint_scores for one in traits),
            scores_without_unseen=all(one.scores_without_unseen for one in traits),
            fixed_threshold=THRESHOLD,
            binary_scores=all(one.binary_scores for one in traits),
            uses_alpha=not all(one.binary_scores for one in traits),
            stochastic=any(one.stochastic for one in traits),
            heavy=any(one.heavy for one in traits),
        ),
    )
