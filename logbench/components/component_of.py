"""The component that a class, an instance or a factory is, so that a class is all that must be written."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from typing import Any

from ..api.components import BaseComponent, Kind
from ..api.old_components import Component
from ..base.errors import ConfigError, PluginError
from ..base.options import suggest
from .class_kinds import first_line, kebab, kind_of
from .class_options import Construction, of_callable, of_instance
from .component_kinds import COMPONENTS, of_kind
from .trait_checks import fault

MISSING = dataclasses.MISSING


def component_of(thing: Any, *, kind: Kind | None = None, **overrides: Any) -> BaseComponent[Any]:
    """The component of a class, an instance, or a factory: `component_of(MyModel)` is a `ModelComponent`.

    Its kind is told by its methods: `fit` and `score` (model), `fit` and `match` (parser), `assign` (windower),
    `fit` and `of` (embedding), `evaluate` (evaluator), `report` (reporter), `read` (data set). Its fields are
    attributes of the class of the same name (`name`, `traits`, `aliases`, `card`, …); without them the name is
    that of the class in kebab case, and the summary the first line of its docstring. Its options are the dataclass
    that `__init__` takes, or the keyword parameters of `__init__`. Of an instance they have its values as
    defaults, taken from its attributes of the same name; each run builds it anew.

    Args:
        thing: a class, an instance, a function or partial that makes one, or a component, which stays as it is.
        kind: for a class that could be of several kinds.
        overrides: fields of the component, such as `name="mine"`.

    Raises:
        PluginError: it is no component, with the method, default or type that is missing; or its traits are wrong.
        ConfigError: a component of this kind has no such field.

    Examples:
        >>> class MeanLength:
        ...     def __init__(self, factor: float = 1.0) -> None:
        ...         self.factor = factor
        ...
        ...     def fit(self, train, context):
        ...         self.mean = train.lengths.mean()
        ...
        ...     def score(self, sessions, context):
        ...         return self.factor * abs(sessions.lengths - self.mean)
        >>> component_of(MeanLength).name, component_of(MeanLength(2.0), name="twice").config().factor
        ('mean-length', 2.0)
    """
    if isinstance(thing, BaseComponent):
        return _changed(_typed(thing, kind), overrides)
    if isinstance(thing, str):
        raise PluginError(f"{thing!r} is the name of a component; give a class, an instance or a factory")
    made_by, described = _construction(thing)
    cls = _class_of(thing, made_by)
    kind = kind_of(cls, kind)
    fields = {f.name for f in dataclasses.fields(COMPONENTS[kind])} - {"name", "build", "config", "summary"}
    values = {name: getattr(described, name, MISSING) for name in fields}
    name = getattr(described, "name", None)
    values |= {
        "name": name if isinstance(name, str) else kebab(getattr(described, "__name__", "") or cls.__name__),
        "summary": first_line(described) or first_line(cls),
        **overrides,
    }
    known = {name: value for name, value in values.items() if value is not MISSING}
    if kind == "dataset" and "card" not in known:
        raise PluginError(f"{cls.__name__} is a data set without a card: write card = logbench.Card(title=…, …)")
    _check_fields(kind, known)
    item = COMPONENTS[kind](**{"build": made_by.build, "config": made_by.config, **known})
    return _checked(kind, item)


def _construction(thing: Any) -> tuple[Construction, Any]:
    """How a thing is made, and the object that describes it: itself, its class, or its factory."""
    if inspect.isclass(thing):
        return of_callable(thing, thing.__name__), thing
    if inspect.isroutine(thing):
        return of_callable(thing, thing.__name__), thing
    if isinstance(thing, functools.partial):
        made = thing.func
        described = made if inspect.isclass(made) else inspect.unwrap(made)
        return of_callable(thing, getattr(described, "__name__", "partial")), described
    return of_instance(thing), thing


def _class_of(thing: Any, made_by: Construction) -> type:
    if inspect.isclass(thing):
        return thing
    if isinstance(thing, functools.partial) and inspect.isclass(thing.func):
        return thing.func
    if inspect.isroutine(thing) or isinstance(thing, functools.partial):
        return type(made_by.build(made_by.config()) if made_by.config else made_by.build())
    return type(thing)


def _typed(item: BaseComponent[Any], kind: Kind | None) -> BaseComponent[Any]:
    """A component as one of the class of its kind."""
    for cls in COMPONENTS.values():
        if isinstance(item, cls):
            return item
    if isinstance(item, Component):
        return of_kind(kind or kind_of(_class_of(item.build, Construction(item.build, item.config))), item)
    raise PluginError(f"{type(item).__name__} {item.name!r}: use the class of its kind, such as ModelComponent")


def _changed(item: BaseComponent[Any], overrides: dict[str, Any]) -> BaseComponent[Any]:
    if not overrides:
        return item
    kind = next(name for name, cls in COMPONENTS.items() if isinstance(item, cls))
    _check_fields(kind, overrides)
    return _checked(kind, dataclasses.replace(item, **overrides))


def _check_fields(kind: Kind, values: dict[str, Any]) -> None:
    known = {f.name for f in dataclasses.fields(COMPONENTS[kind])}
    if wrong := next((name for name in values if name not in known), None):
        raise ConfigError(f"component_of: a {kind} has no field {wrong!r}{suggest(wrong, known)}")


def _checked(kind: Kind, item: BaseComponent[Any]) -> BaseComponent[Any]:
    try:
        config = item.config() if item.config else None
    except TypeError as error:  # an option without a default
        raise PluginError(f"{item.name}: its options have no defaults: {error}") from None
    if wrong := fault(kind, item.traits, config):
        raise PluginError(f"{item.name}: {wrong}")
    return item
