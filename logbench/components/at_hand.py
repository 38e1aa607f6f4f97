"""Offer components at hand: classes, instances and factories that no plugin brings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..api.components import BaseComponent, Kind
from .class_options import source_of
from .component_of import component_of
from .entry import Plugin, RegisteredComponent
from .refusals import check_at_hand
from .registry import Registry

LOCAL = "<locals>"


def admit(registry: Registry, kind: Kind, thing: Any) -> str:
    """Offer a thing in this registry, and return its name; a name (text) or file stays as it is.

    A second thing of the same name is numbered: `my-model-2`.

    Args:
        registry: gets one more component, so take a `copy` of one that others use.
        thing: see `component_of`.

    Raises:
        PluginError: it is no component of this kind. ConfigError: an installed component has its name.
    """
    if isinstance(thing, str | Path):
        return str(thing)
    item = component_of(thing, kind=kind)
    offered, plugin = registry.offered(kind), _plugin_of(thing, item)
    check_at_hand(kind, item, plugin)
    for number in range(1, len(offered) + 2):
        named = item if number == 1 else component_of(item, name=f"{item.name}-{number}")
        there = offered.get(named.name)
        if there is not None and (there.item is item or there.plugin.made_of is thing):
            return str(there.item.name)
        if there is None or there.plugin.made_of is None:
            registry.add(kind, RegisteredComponent(named, plugin))
            return named.name
    raise AssertionError("one of these names is free")


def _plugin_of(thing: Any, item: BaseComponent[Any]) -> Plugin:
    """Stands for the entry point of a plugin: the class or function that a thing is made by."""
    source, gap = source_of(item.build)
    if LOCAL in getattr(source, "__qualname__", ""):
        gap = gap or "it is defined within a function, whose variables it may read"
    name, module = getattr(source, "__name__", item.name), getattr(source, "__module__", None) or "?"
    return Plugin(name, module, "", lambda: source, gap=gap, made_of=thing)
