"""What a caller of Python asks for, as a plan has it: names of components, with those at hand in a registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..api.components import BaseComponent
from ..api.optional_data_sets import TakesData
from ..api.plan import PlanOptions
from ..base.errors import ConfigError
from ..base.options import suggest
from ..components.at_hand import admit
from ..components.entry import RegisteredComponent
from ..components.registry import Registry


def model_names(models: object, registry: Registry) -> tuple[str, ...]:
    """Names of one or several models.

    Args:
        models: a name, class, instance or factory, or a list or tuple of them.
        registry: gets those at hand.

    Raises:
        PluginError, ConfigError: see `at_hand.admit`.
    """
    several = models if isinstance(models, list | tuple) else (models,)
    return tuple(dict.fromkeys(admit(registry, "model", one) for one in several))


def check_findable(registry: Registry, what: str) -> None:
    """Refuse what other processes take part in where a component is at hand alone.

    Args:
        what: for the error, such as `save`.

    Raises:
        ConfigError: there is one.
    """
    if made := registry.at_hand:
        name = made[0].item.name
        raise ConfigError(f'{what}: {name} is in this process alone; put it into a file, "./my_file.py"')


def _dataset(data: object, registry: Registry) -> str:
    """Name of a data set: at hand like any component, or data in memory."""
    if isinstance(data, str | Path | BaseComponent) or callable(data) or hasattr(data, "read"):
        return admit(registry, "dataset", data)
    for plugin, definitions in registry.definitions:
        if isinstance(definitions, TakesData) and (item := definitions.of_data(data)) is not None:
            if item.name not in registry.components["dataset"]:
                registry.add("dataset", RegisteredComponent(item, replace(plugin, made_of=data)))
            return item.name
    raise ConfigError(
        f"dataset: {type(data).__name__} is neither a data set nor data that an installed plugin takes"
    )


def plan_fields(where: str, dataset: object, options: Mapping[str, Any], registry: Registry) -> dict[str, Any]:
    """Fields of `Plan` that are alike for all runs.

    Args:
        where: what is called, for errors. dataset, options: see `run`. registry: gets the components at hand.

    Raises:
        ConfigError: an unknown option. PluginError: see `at_hand.admit`.
    """
    known = PlanOptions.__annotations__
    if wrong := next((name for name in options if name not in known), None):
        raise ConfigError(f"{where}: there is no option {wrong!r}{suggest(wrong, known)}")
    fields = {**options, "dataset": _dataset(dataset, registry)}
    if (parser := options.get("parser")) is not None:
        fields["parser"] = admit(registry, "parser", parser)
    if (windower := options.get("windower")) is not None:
        fields["windower"] = admit(registry, "windower", windower)
    if (embedding := options.get("embedding")) is not None:
        fields["embedding"] = admit(registry, "embedding", embedding)
    if (evaluators := options.get("evaluators")) is not None:
        several: Sequence[Any] = evaluators if isinstance(evaluators, list | tuple) else (evaluators,)
        fields["evaluators"] = tuple(admit(registry, "evaluator", one) for one in several)
    return fields
