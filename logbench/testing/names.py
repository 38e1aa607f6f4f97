"""Find what can be checked, by kind and name."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, Literal

from ..api.components import Kind
from ..base.errors import ConfigError
from ..base.options import suggest
from ..components.entry import Plugin, RegisteredComponent
from ..components.lone_files import components_in, names_file
from ..components.registry import KINDS, Registry

# Kinds that can be checked: components, and what else plugins offer. A notification has its plugin's name.
Checked = Kind | Literal["preset", "table", "command", "notification"]
CHECKED: tuple[Checked, ...] = (*KINDS, "preset", "table", "command", "notification")
NOTIFICATIONS = ("logbench_run_started", "logbench_stage_finished", "logbench_run_finished")


def offers(registry: Registry, kind: Checked) -> Mapping[str, RegisteredComponent[Any]]:
    """Everything of this kind that is installed, by name."""
    match kind:
        case "preset":
            return registry.presets
        case "table":
            return registry.tables
        case "command":
            return registry.commands
        case "notification":
            return _notified(registry)
        case _:
            return registry.components[kind]


def _notified(registry: Registry) -> Mapping[str, RegisteredComponent[Plugin]]:
    """Plugins that implement a notification, by name; a second one of a name by distribution and name."""
    found: dict[str, RegisteredComponent[Plugin]] = {}
    for plugin in registry.plugins:
        if not plugin.error and set(plugin.hooks) & set(NOTIFICATIONS):
            found[plugin.key if plugin.name in found else plugin.name] = RegisteredComponent(plugin, plugin)
    return found


def names_of(registry: Registry, kind: Checked) -> list[str]:
    """Names of everything of this kind that is installed."""
    return list(offers(registry, kind))


def entry_of(registry: Registry, kind: Checked, name: str) -> RegisteredComponent[Any]:
    """Find what is called `name`, with its plugin.

    Raises:
        ConfigError: nothing has this name.
    """
    if kind in KINDS:
        return registry.get(kind, name)
    table = offers(registry, kind)
    if name not in table:
        raise ConfigError(f"no {kind} is called {name!r}{suggest(name, table)}")
    return table[name]


def kinds_of(name: str, registry: Registry, kind: str | None = None) -> list[Checked]:
    """Kinds of what is called `name`: components, presets, tables, commands, plugins with notifications.

    Of a file of the user's own, the kinds of the components that it holds.

    Raises:
        ConfigError: nothing has this name, or only a plugin that is set aside.
    """
    if names_file(name):
        return [one for one, _ in components_in(name) if kind in (None, one)]
    kinds: list[Checked] = []
    for one in CHECKED:
        if kind in (None, one):
            with contextlib.suppress(ConfigError):
                entry_of(registry, one, name)
                kinds.append(one)
    if kinds:
        return kinds
    if kind and (others := [one for one in CHECKED if name in offers(registry, one)]):
        raise ConfigError(f"no {kind} is called {name!r}, but a {' and a '.join(others)}")
    if aside := [plugin for plugin in registry.broken if name in (plugin.name, plugin.distribution)]:
        raise ConfigError(f"plugin {aside[0]} is set aside: {aside[0].error}")
    every = {known for one in CHECKED for known in offers(registry, one)}
    broken = ", ".join(map(str, registry.broken))
    more = f"; set aside: {broken} (see: logbench plugins)" if broken else ""
    near = suggest(name, every)
    near = near if "did you mean" in near else "; see: logbench list"
    raise ConfigError(f"no {kind or 'component'} is called {name!r}{near}{more}")
