"""Check what a plugin yields, and say in one line why it is set aside."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path
from typing import Any

import pluggy

from ..api import hookspecs
from ..api.components import BaseComponent, DatasetComponent, Kind, ModelComponent
from ..api.old_components import Component
from ..base.errors import ConfigError, PluginError
from ..base.file_names import LONGEST, name_fault
from ..base.options import hints_of, suggest
from . import requirements
from .component_kinds import COMPONENTS
from .entry import Plugin
from .trait_checks import fault


class RefusalError(Exception):
    """Why a plugin is set aside, in one line that needs no type name."""


def check_class(hook: str, item: Any, *wanted: type[Any]) -> None:
    """Refuse what is of none of the classes `wanted`, and a name that no command line could hold."""
    if not isinstance(item, wanted):
        raise RefusalError(f"{hook} must yield {wanted[0].__name__}, got {type(item).__name__}")
    if not isinstance(item.name, str) or not item.name or set(item.name) & set(" \t\n,=/"):
        raise RefusalError(f"{hook} yields the name {item.name!r}: one word without spaces, commas, '=' or '/'")
    if wrong := name_fault(item.name):
        raise RefusalError(f"{hook} yields {item.name[:LONGEST]!r}, which is no name for a file: {wrong}")


def check_arguments(module: Any, manager: pluggy.PluginManager) -> None:
    """Refuse a hook that wants an argument which the harness does not have."""
    for name in dir(module):
        marked = manager.parse_hookimpl_opts(module, name)
        hook = (marked and marked.get("specname")) or name
        if marked and (spec := getattr(hookspecs, hook, None)):
            known = [*inspect.signature(spec).parameters]
            for one in inspect.signature(getattr(module, name)).parameters.values():
                if one.name not in (*known, "self") and one.default is one.empty and one.kind in _NAMED:
                    there = suggest(one.name, known) or "; it takes none"
                    raise RefusalError(f"{hook} has no argument {one.name!r}{there}")


_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def check_component(hook: str, kind: Kind, item: BaseComponent[Any]) -> None:
    if not callable(item.build):
        raise RefusalError(f"{hook} yields {item.name!r} whose build is not callable")
    if item.config is not None:
        _check_config(hook, item)
    if wrong := _traits_fault(kind, item) or requirements.fault(item):
        raise RefusalError(f"{hook} yields {item.name!r} with {wrong}")
    if isinstance(item, ModelComponent) and not isinstance(item.card, Path | None):
        raise RefusalError(f"{hook} yields {item.name!r} whose card is no path, but {type(item.card).__name__}")
    if isinstance(item, DatasetComponent | Component) and kind == "dataset" and item.card is None:
        raise RefusalError(f"{hook} yields {item.name!r} without a card")


def _check_config(hook: str, item: BaseComponent[Any]) -> None:
    if not (isinstance(item.config, type) and dataclasses.is_dataclass(item.config)):
        raise RefusalError(f"{hook} yields {item.name!r} whose config is no dataclass")
    for field_ in dataclasses.fields(item.config):
        if field_.default is field_.default_factory is dataclasses.MISSING:
            raise RefusalError(f"{hook} yields {item.name!r} whose option {field_.name!r} has no default")
    try:
        hints_of(item.config)
    except Exception as error:  # such as a name imported under TYPE_CHECKING: every run would stumble on it
        raise RefusalError(f"{hook} yields {item.name!r} whose options cannot be typed: {error}") from None


def _traits_fault(kind: Kind, item: BaseComponent[Any]) -> str:
    """What is wrong with the traits, by the default configuration where they are a function of it."""
    try:
        config = item.config() if item.config else None
    except ConfigError as error:
        return f"defaults that it refuses itself: {error}"
    return fault(kind, item.traits, config)


def check_at_hand(kind: Kind, item: BaseComponent[Any], plugin: Plugin) -> None:
    """Check a component that no plugin yields, like one that is yielded.

    Raises:
        PluginError: see `check_class` and `check_component`.
    """
    try:
        check_class(str(plugin), item, COMPONENTS[kind])
        check_component(str(plugin), kind, item)
    except RefusalError as error:
        raise PluginError(str(error)) from None
