"""Traits that make sense: looked at where a component is registered, so that no run stumbles on a wrong one."""

from __future__ import annotations

import dataclasses
import math
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from ..api.components import Kind
from ..api.old_components import Traits
from ..api.traits import OF_VECTORS, ComponentTraits
from ..base.options import suggest
from .component_kinds import traits_class, traits_of_kind

# Fields of the old `Traits` that the harness asks of windowers alone.
OF_WINDOWERS = frozenset({"cuts_lines", "overlaps", "unit"})
NAMES = {bool: "True or False", int: "a whole number", float: "a number", str: "a text", type(None): "None"}


def fault(kind: Kind, traits: Any, config: Any = None) -> str:
    """The first thing that is wrong with the traits of a component, in words; empty where nothing is.

    Args:
        config: a configuration, for traits that are a function of it.
    """
    wanted = traits_class(kind)
    if type(traits) not in (wanted, ComponentTraits, Traits):
        return f"traits must be {wanted.__name__}(…), got {type(traits).__name__}"
    if isinstance(traits, Traits) and kind != "windower" and (foreign := _of_windowers(traits)):
        return f"traits.{foreign} is for windowers alone"
    traits = traits_of_kind(kind, traits)
    hints, values = _hints(kind), {}
    for field in dataclasses.fields(wanted):
        name, value = field.name, getattr(traits, field.name)
        if wrong := mismatch(value, hints[name]):
            return f"traits.{name}={_shown(value)}: {wrong}"
        values[name] = value
        if callable(value):
            try:
                values[name] = value(config)
            except Exception as error:
                return f"traits.{name} of the configuration raises {type(error).__name__}: {error}"
            if wrong := mismatch(values[name], hints[name]):
                return f"traits.{name} of the configuration is {_shown(values[name])}: {wrong}"
    return _together(values) if kind == "model" else ""


@cache
def _hints(kind: Kind) -> dict[str, Any]:
    return get_type_hints(traits_class(kind))


def _of_windowers(traits: Traits) -> str:
    """The first field for windowers that is set, empty where none is."""
    defaults = {field.name: field.default for field in dataclasses.fields(traits)}
    return next((name for name in sorted(OF_WINDOWERS) if getattr(traits, name) != defaults[name]), "")


def _together(values: dict[str, Any]) -> str:
    """What is wrong with a model's values of the right types."""
    if values["min_events"] < 1:
        return f"traits.min_events={values['min_events']}: expected 1 or more"
    if values["binary_scores"] and values["fixed_threshold"] is None:
        return "traits.binary_scores: they need a fixed_threshold, above which they say yes"
    if values["unlabelled"] and values["supervision"] != "supervised":
        return "traits.unlabelled: only supervised models are told labels, so that they may lack some"
    if values["needs"] | values["wants"] >= OF_VECTORS:
        return "traits.needs, traits.wants: vectors or text_vectors, not both: an event has one vector"
    return ""


def mismatch(value: Any, hint: Any) -> str:
    """What a type hint expects in place of `value`, in words; empty where it fits."""
    origin, options = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        said = [mismatch(value, option) for option in options]
        return "" if "" in said else said[0]
    if origin is Literal:
        known = ", ".join(map(str, options))
        return "" if value in options else f"expected one of {known}" + _close(value, options)
    if origin is frozenset:
        return _outside(value, options[0])
    if origin is not None:
        return "" if isinstance(value, origin) else f"expected a {origin.__name__}"
    right = isinstance(value, hint) or (hint is float and isinstance(value, int))
    if not right or (isinstance(value, bool) and hint is not bool) or (hint is float and math.isnan(value)):
        return f"expected {NAMES.get(hint, hint)}"
    return ""


def _outside(value: Any, of: Any) -> str:
    """What a set of values of type `of` expects in place of `value`."""
    if not isinstance(value, set | frozenset):
        return f"expected a set, such as frozenset({{{get_args(of)[0]!r}}})"
    return next((said for one in sorted(value, key=repr) if (said := mismatch(one, of))), "")


def _close(value: Any, options: tuple[Any, ...]) -> str:
    close = suggest(value, options) if isinstance(value, str) else ""
    return close if "did you mean" in close else ""


def _shown(value: Any) -> str:
    return repr(set(value) if isinstance(value, frozenset) else value)[:60]
