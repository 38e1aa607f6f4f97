"""Tell the kind of component that a class is, by its methods, and the name that users type for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..api.components import Kind
from ..base.errors import PluginError

METHODS: Mapping[Kind, tuple[str, ...]] = {
    "model": ("fit", "score"),
    "parser": ("fit", "match"),
    "windower": ("assign",),
    "embedding": ("fit", "of"),
    "evaluator": ("evaluate",),
    "reporter": ("report",),
    "dataset": ("read",),
}
_WORDS = {kind: f"{'an' if kind[0] in 'aeiou' else 'a'} {kind.replace('dataset', 'data set')}" for kind in METHODS}
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def kinds_of(cls: type) -> list[Kind]:
    """The kinds whose methods a class has."""
    return [kind for kind, methods in METHODS.items() if not _lacking(cls, methods)]


def kind_of(cls: type, kind: Kind | None = None) -> Kind:
    """The kind of component that a class is.

    Args:
        kind: the kind that it must be; None: the only one that it can be.

    Raises:
        PluginError: it lacks a method, or could be of several kinds.
    """
    if kind is not None:
        if lacking := _lacking(cls, METHODS[kind]):
            raise PluginError(f"{cls.__name__} is not {_WORDS[kind]}: it lacks {' and '.join(lacking)}")
        return kind
    found = kinds_of(cls)
    if len(found) == 1:
        return found[0]
    if found:
        several = " or ".join(_WORDS[one] for one in found)
        raise PluginError(f"{cls.__name__} could be {several}: say which, such as kind={found[0]!r}")
    partly = {one: _lacking(cls, methods) for one, methods in METHODS.items()}
    near = [
        f"{_WORDS[one]} needs {lacking[0]}" for one, lacking in partly.items() if len(METHODS[one]) > len(lacking)
    ]
    every = [f"{_WORDS[one]} has {' and '.join(methods)}" for one, methods in METHODS.items()]
    raise PluginError(f"{cls.__name__} is no component: {', '.join(near or every)}")


def kebab(name: str) -> str:
    """`MyLSTMModel` as users type it: `my-lstm-model`."""
    return _CAMEL.sub("-", name.strip("_")).replace("_", "-").lower()


def first_line(thing: Any) -> str:
    """First line of the docstring, without a full stop; empty without one."""
    lines = (getattr(thing, "__doc__", None) or "").strip().splitlines()
    return lines[0].strip().removesuffix(".") if lines else ""


def _lacking(cls: type, methods: tuple[str, ...]) -> list[str]:
    return [name for name in methods if not callable(getattr(cls, name, None))]
