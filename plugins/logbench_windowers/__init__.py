"""First-party windowers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from logbench import Component, hookimpl, option


@dataclass(frozen=True)
class SessionConfig:
    """Options of `session`."""

    pattern: str = option("", "regular expression of a session id in the message; empty: the column below")
    column: str = option("id", "column of the lines that holds the session's id")


def _session(config: SessionConfig) -> Any:
    from .session import Session

    return Session(config.pattern, config.column)


@hookimpl
def logbench_windowers() -> Iterable[Component[Any]]:
    """Offer `session`."""
    yield Component("session", _session, SessionConfig, "one unit an id: every line that names it")
