"""Every option that `--set` takes, a row each."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from ..base.options import fields_of
from .option_classes import option_classes
from .registry import Registry


def rows_of(registry: Registry) -> Iterator[dict[str, Any]]:
    """One row an option: `component`, `option`, `type`, `default`, `meaning`."""
    for component, config in option_classes(registry).items():
        for name, field in fields_of(config).items():
            default = "required" if field.default is dataclasses.MISSING else field.default
            yield {
                "component": component,
                "option": name,
                "type": _type(config, field),
                "default": str(default),
                "meaning": field.metadata.get("help", ""),
            }


def _type(config: type, field: dataclasses.Field[Any]) -> str:
    return _named(get_type_hints(config)[field.name])


def _named(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return " | ".join(map(str, get_args(hint)))
    if get_origin(hint) in (Union, UnionType):
        return " | ".join("None" if one is NoneType else _named(one) for one in get_args(hint))
    return hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")
