"""The classes of each kind of component, and components that are of an old class as those of their kind."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar, get_type_hints

from ..api.components import (
    BaseComponent,
    DatasetComponent,
    EmbeddingComponent,
    EvaluatorComponent,
    Kind,
    ModelComponent,
    ParserComponent,
    ReporterComponent,
    WindowerComponent,
)
from ..api.old_components import Component, Traits, renamed
from ..api.traits import ComponentTraits, ModelTraits, WindowerTraits

T = TypeVar("T")
COMPONENTS: Mapping[Kind, type[BaseComponent[Any]]] = {
    "dataset": DatasetComponent,
    "parser": ParserComponent,
    "windower": WindowerComponent,
    "embedding": EmbeddingComponent,
    "model": ModelComponent,
    "evaluator": EvaluatorComponent,
    "reporter": ReporterComponent,
}


def traits_class(kind: Kind) -> type[ComponentTraits]:
    """The traits of a kind of component."""
    classes: Mapping[Kind, type[ComponentTraits]] = {"windower": WindowerTraits, "model": ModelTraits}
    return classes.get(kind, ComponentTraits)


def of_kind(kind: Kind, item: BaseComponent[Any]) -> BaseComponent[Any]:
    """The component as one of the class of its kind, with the traits of its kind.

    Args:
        item: of that class or of the old `Component`; its traits are those of the kind or the old `Traits`, and
            what they say that is of another kind is left out. A data set must have a card.
    """
    traits = traits_of_kind(kind, item.traits)
    if not isinstance(item, Component):
        return item if traits is item.traits else dataclasses.replace(item, traits=traits)
    values = {f.name: getattr(item, f.name) for f in dataclasses.fields(item)} | {"traits": traits}
    if kind != "dataset":
        del values["card"]  # its facts are those of a data set
    return _made(COMPONENTS[kind], values)


def traits_of_kind(kind: Kind, traits: ComponentTraits) -> ComponentTraits:
    """Traits as those of their kind, see `of_kind`."""
    wanted = traits_class(kind)
    if isinstance(traits, Traits):
        return _made(wanted, renamed(traits))
    return traits if isinstance(traits, wanted) else wanted(expected_failures=traits.expected_failures)


def _made(cls: type[T], values: Mapping[str, Any]) -> T:
    """An object of a dataclass of those values that it has a field for."""
    names = get_type_hints(cls)
    return cls(**{name: value for name, value in values.items() if name in names})
