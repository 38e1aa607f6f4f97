"""A registry of components at hand, for tests: nothing needs to be installed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..api.components import Preset, Table
from ..api.hookspecs import hookimpl
from ..base.errors import ConfigError
from ..components.entry import Plugin, installed
from ..components.registry import Registry

if TYPE_CHECKING:
    import click


def registry(
    *,
    datasets: Iterable[Any] = (),
    parsers: Iterable[Any] = (),
    windowers: Iterable[Any] = (),
    embeddings: Iterable[Any] = (),
    models: Iterable[Any] = (),
    evaluators: Iterable[Any] = (),
    reporters: Iterable[Any] = (),
    presets: Iterable[Preset] = (),
    tables: Iterable[Table] = (),
    commands: Iterable[click.Command] = (),
    notifications: Iterable[Callable[..., None]] = (),
    plugins: bool = True,
) -> Registry:
    """A registry of these components, beside those of the installed plugins.

        found = registry(models=[logbench.ModelComponent("longest", Longest)])
        (record,) = logbench.run("longest", dataset="hdfs-sim", registry=found)
        assert not [one for one in check("model", "longest", registry=found) if one.status == "violation"]

    Args:
        notifications: functions with the names of their hooks, such as `logbench_run_finished`; their plugin is
            called `registry`, as in `check("notification", "registry", registry=found)`.
        plugins: whether the installed plugins take part; without them there are these components alone.

    Raises:
        ConfigError: something cannot be offered: a wrong class, a name that is taken, options without a default.
    """
    offers: Mapping[str, Iterable[Any]] = {
        "logbench_datasets": datasets,
        "logbench_parsers": parsers,
        "logbench_windowers": windowers,
        "logbench_embeddings": embeddings,
        "logbench_models": models,
        "logbench_evaluators": evaluators,
        "logbench_reporters": reporters,
        "logbench_presets": presets,
        "logbench_tables": tables,
        "logbench_commands": commands,
    }
    own = _plugin({hook: list(items) for hook, items in offers.items()}, list(notifications))
    found = Registry(plugins=[*installed(), own] if plugins else [own])
    if own.error:
        raise ConfigError(f"registry: {own.error}")
    return found


def _plugin(offers: Mapping[str, list[Any]], told: list[Callable[..., None]]) -> Plugin:
    """A plugin whose hooks yield these items, and that is told by these functions."""
    module = ModuleType("registry")
    for function in told:
        vars(module)[function.__name__] = hookimpl(function)
    for hook, items in offers.items():
        vars(module)[hook] = hookimpl(_yielding(items), specname=hook)
    return Plugin("registry", "logbench.testing", "0", lambda: module)


def _yielding(items: list[Any]) -> Callable[[], list[Any]]:
    return lambda: items
