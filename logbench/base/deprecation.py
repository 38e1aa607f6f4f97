"""Names and functions that go away: a release that warns comes before the one that removes them."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping
from typing import NamedTuple, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Renamed(NamedTuple):
    """Where a public name went: what to use `instead`, and the release in which the old name is `gone`."""

    instead: str
    gone: str


# Old public name of `logbench` → where it went. `logbench.old` still gives the new one, and warns.
RENAMED: Mapping[str, Renamed] = {"UnfitError": Renamed("IncompatibleError", "0.3")}


def current(name: str) -> str | None:
    """The name that `name` has now, with a `DeprecationWarning` to its user; None where it was not renamed."""
    if name not in RENAMED:
        return None
    _warn(f"logbench.{name}", *RENAMED[name], level=4)
    return RENAMED[name].instead


def deprecated(instead: str, gone: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function or method warn its caller, and work as before.

    Args:
        instead: what to call now, in words. gone: the release that removes it, such as `0.3`.
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
