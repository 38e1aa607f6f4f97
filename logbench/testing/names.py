"""Find what can be checked, by kind and name."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, Literal

from ..api.components import Kind
from ..base.errors import ConfigError
from ..base.options import suggest
from ..components.entry import RegisteredComponent
from ..components.registry import KINDS, Registry

# Kinds that can be checked: components, presets and published tables.
Checked = Kind | Literal["preset", "table"]
CHECKED: tuple[Checked, ...] = (*KINDS, "preset", "table")


def _table(registry: Registry, kind: Checked) -> Mapping[str, RegisteredComponent[Any]]:
    if kind == "preset":
        return registry.presets
    return registry.tables if kind == "table" else registry.components[kind]


def names_of(registry: Registry, kind: Checked) -> list[str]:
    """Names of everything of this kind that is installed."""
    return list(_table(registry, kind))


def entry_of(registry: Registry, kind: Checked, name: str) -> RegisteredComponent[Any]:
    """Find the component, preset or table `name`, with its plugin.

    Raises:
        ConfigError: nothing has this name.
    """
    if kind == "preset":
        registry.preset(name)
        return registry.presets[name]
    if kind == "table":
        registry.table(name)
        return registry.tables[name]
    return registry.get(kind, name)


def kinds_of(name: str, registry: Registry, kind: str | None = None) -> list[Checked]:
    """Kinds of the components, presets and tables that are called `name`.

    Raises:
        ConfigError: nothing has this name.
    """
    kinds: list[Checked] = []
    for one in CHECKED:
        if kind in (None, one):
            with contextlib.suppress(ConfigError):
                entry_of(registry, one, name)
                kinds.append(one)
    if kinds:
        return kinds
    if kind and (others := [one for one in CHECKED if name in _table(registry, one)]):
        raise ConfigError(f"no {kind} is called {name!r}, but a {' and a '.join(others)}")
    every = {known for one in CHECKED for known in _table(registry, one)}
    aside = [str(plugin) for plugin in registry.broken]
    more = f"; set aside: {', '.join(aside)} (see: logbench plugins)" if aside else ""
    near = suggest(name, every)
    near = near if "did you mean" in near else "; see: logbench list"
    raise ConfigError(f"no {kind or 'component'} is called {name!r}{near}{more}")
