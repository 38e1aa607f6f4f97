"""Warn for one release before a name or function is removed."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping
from typing import NamedTuple, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Renamed(NamedTuple):
    """A renamed public name: the name to use `instead`, and the release in which the old one is `gone`."""

    instead: str
    gone: str


# Old public name of `logbench` → new name. `logbench.old` still works, and warns.
RENAMED: Mapping[str, Renamed] = {"UnfitError": Renamed("IncompatibleError", "0.3")}


def current(name: str) -> str | None:
    """The present name of an old one, with a `DeprecationWarning`; None if `name` was not renamed."""
    if name not in RENAMED:
        return None
    _warn(f"logbench.{name}", *RENAMED[name], level=4)
    return RENAMED[name].instead


def deprecated(instead: str, gone: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function or method warn its caller and work as before.

    Args:
        instead: what to call now.
        gone: the release that removes it, such as `0.3`.
    """

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def warned(*args: P.args, **keywords: P.kwargs) -> R:
            _warn(f"{function.__module__}.{function.__qualname__}", instead, gone, level=3)
            return function(*args, **keywords)

        return warned

    return wrap


def _warn(what: str, instead: str, gone: str, level: int) -> None:
    message = f"{what} is deprecated, use {instead}; it goes away in logbench {gone}"
    warnings.warn(message, DeprecationWarning, stacklevel=level)
