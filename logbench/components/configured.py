"""A component with its configuration."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ..api.components import BaseComponent, ModelComponent
from ..base.errors import IncompatibleError
from ..base.options import make
from ..evaluation.threshold_traits import ThresholdTraits
from .combination import NAME as COMBINATION
from .combination import CombinationOptions, Members
from .entry import RegisteredComponent
from .requirements import lack

# What tells units of equal keys apart: of one template there are many messages.
TEXT = frozenset({"texts", "messages", "parameters", "text_vectors"})
C_co = TypeVar("C_co", bound=BaseComponent[Any], covariant=True)


@dataclass(frozen=True)
class ConfiguredComponent(Generic[C_co]):
    """A component with its configuration, such as `ConfiguredComponent[ModelComponent[Any]]`."""

    entry: RegisteredComponent[C_co]
    config: Any

    @property
    def name(self) -> str:
        return self.entry.item.name

    @property
    def parts(self) -> tuple[ConfiguredComponent[C_co], ...]:
        """The members of a combination, or the part itself."""
        return self.config.parts if self.entry.members else (self,)

    @property
    def min_events(self: ConfiguredComponent[ModelComponent[Any]]) -> int:
        """Events of the shortest unit that the model can score."""
        needed = self.entry.item.traits.min_events
        return int(needed(self.config)) if callable(needed) else int(needed)

    @property
    def keys_only(self: ConfiguredComponent[ModelComponent[Any]]) -> bool:
        """Whether the score depends on the key sequence alone; text differs between equal ones."""
        traits = self.entry.item.traits
        only = traits.keys_only
        return not traits.shown & TEXT and bool(only(self.config) if callable(only) else only)

    @property
    def fixed_threshold(self: ConfiguredComponent[ModelComponent[Any]]) -> float | None:
        """The model's own threshold, None where it has none."""
        found = self.entry.item.traits.fixed_threshold
        return found(self.config) if callable(found) else found

    @property
    def own(self: ConfiguredComponent[ModelComponent[Any]]) -> ThresholdTraits:
        """What its traits say of its threshold."""
        traits = self.entry.item.traits
        rules = not traits.binary_scores and any(part.entry.item.traits.binary_scores for part in self.parts)
        rules = rules and self.config.options.by == "max"  # elsewhere a rule is one voice among others
        return ThresholdTraits(self.fixed_threshold, traits.binary_scores, traits.uses_alpha, rules)

    def build(self) -> Any:
        """The thing itself.

        Raises:
            IncompatibleError: what it requires is not installed.
        """
        if lacking := lack(self.entry):
            raise IncompatibleError(lacking)
        return self.entry.item.build() if self.config is None else self.entry.item.build(self.config)

    def as_dict(self) -> dict[str, Any]:
        """The resolved configuration, by member where it is a combination."""
        if isinstance(self.config, Members):
            return self.config.as_dict()
        return dataclasses.asdict(self.config) if self.config is not None else {}


def configured(
    entry: RegisteredComponent[C_co], values: Mapping[str, Any] | None = None
) -> ConfiguredComponent[C_co]:
    """The part with these options, the others as by default; `as_dict()` of it gives the same part again.

    Args:
        values: by option; of a combination by member, and then by option.

    Raises:
        ConfigError: an unknown option, or a wrong value.
    """
    values = values or {}
    if entry.members:
        parts = tuple(configured(member, values.get(member.item.name)) for member in entry.members)
        return ConfiguredComponent(
            entry, Members(parts, make(CombinationOptions, values.get(COMBINATION, {}), COMBINATION))
        )
    return ConfiguredComponent(entry, make(entry.item.config, values, entry.item.name))
