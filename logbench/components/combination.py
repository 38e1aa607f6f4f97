"""The names `a+b+c` and `a*5` as a component: several models as one, see `ensemble`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..api.components import ModelComponent
from ..api.traits import OF_VECTORS, ModelTraits, Need
from ..base.errors import ConfigError
from ..base.options import option

# A combined score above it means that a member alarms.
THRESHOLD = 1.0
# What `--set` calls the options of a combination.
NAME = "combination"
_COPIES = re.compile(r"(?P<name>.+)\*(?P<copies>\d+)", re.DOTALL)

By = Literal["max", "rank", "vote"]


@dataclass(frozen=True)
class CombinationOptions:
    """How members are joined, `--set combination.by=rank`."""

    by: By = option("max", "the largest level alarms, the mean of ranks, or a vote of the majority")


@dataclass(frozen=True)
class Members:
    """The configuration of a combination.

    Attributes:
        parts: the members' `ConfiguredComponent`s. options: how they are joined.
    """

    parts: tuple[Any, ...]
    options: CombinationOptions = CombinationOptions()

    def as_dict(self) -> dict[str, Any]:
        """Options by member; those of the combination itself where they are not the default."""
        own = {} if self.options == CombinationOptions() else {NAME: {"by": self.options.by}}
        return {**{part.name: part.as_dict() for part in self.parts}, **own}


def is_name(name: str) -> bool:
    """Whether this is the name of a combination, if it is not that of a model."""
    return "+" in name.strip("+") or _COPIES.fullmatch(name) is not None


def members_of(name: str) -> list[tuple[str, int]]:
    """Name and number of copies of each member.

    Raises:
        ConfigError: fewer than two copies.

    Examples:
        >>> members_of("deeplog*5+ecvc")
        [('deeplog', 5), ('ecvc', 1)]
    """
    found = []
    for one in name.split("+"):
        copies = _COPIES.fullmatch(one)
        if copies and int(copies["copies"]) < 2:
            raise ConfigError(f"model {one}: give two copies or more, such as {copies['name']}*5")
        found.append((copies["name"], int(copies["copies"])) if copies else (one, 1))
    return found


def labels_of(names: Sequence[str]) -> list[str]:
    """A name of its own for each member: `deeplog#0`, `deeplog#1` where there are copies.

    Examples:
        >>> labels_of(["deeplog", "deeplog", "ecvc"])
        ['deeplog#0', 'deeplog#1', 'ecvc']
    """
    return [f"{name}#{names[:at].count(name)}" if names.count(name) > 1 else name for at, name in enumerate(names)]


def component(
    members: Sequence[tuple[ModelComponent[Any], int]], build: Callable[..., Any]
) -> ModelComponent[Any]:
    """A component for the members' combination; its configuration is `Members`.

    Args:
        members: each with its number of copies. build: makes the model of `Members`.

    Raises:
        ConfigError: a member is named twice, sees labels, or has copies that would all be equal, or members want
            different vectors of an event.
    """
    written = [f"{one.name}*{copies}" if copies > 1 else one.name for one, copies in members]
    name, names = "+".join(written), [one.name for one, _ in members]
    if twice := next((one for one in names if names.count(one) > 1), None):
        raise ConfigError(f"model {name}: {twice} is named twice")
    if same := next((one.name for one, copies in members if copies > 1 and not one.traits.stochastic), None):
        raise ConfigError(f"model {name}: {same} does not depend on its seed, so its copies would be equal")
    traits = [member.traits for member, _ in members]
    if supervised := [m.name for m, _ in members if m.traits.supervision == "supervised"]:
        raise ConfigError(
            f"cannot combine {name}: {supervised[0]} is supervised, "
            "and only unsupervised and semi-supervised models combine"
        )
    needs = frozenset[Need]().union(*(one.needs for one in traits))
    wants = frozenset[Need]().union(*(one.wants for one in traits))
    if needs | wants >= OF_VECTORS:
        of = {need: next(m.name for m, _ in members if need in m.traits.shown) for need in sorted(OF_VECTORS)}
        raise ConfigError(
            f"cannot combine {name}: {of['vectors']} takes vectors of templates, {of['text_vectors']} of messages"
        )
    blind = all(one.supervision == "unsupervised" for one in traits)
    return ModelComponent(
        name,
        build,
        summary=f"several as one: {', '.join(written)}",
        traits=ModelTraits(
            supervision="unsupervised" if blind else "semi-supervised",
            needs=needs,
            wants=wants,
            min_events=lambda members: max(part.min_events for part in members.parts),
            keys_only=lambda members: all(part.keys_only for part in members.parts),
            joint_scores=any(one.joint_scores for one in traits),
            scores_without_unseen=all(one.scores_without_unseen for one in traits),
            fixed_threshold=THRESHOLD,
            binary_scores=all(one.binary_scores for one in traits),
            uses_alpha=not all(one.binary_scores for one in traits),
            stochastic=any(one.stochastic for one in traits),
            heavy=any(one.heavy for one in traits),
        ),
    )
