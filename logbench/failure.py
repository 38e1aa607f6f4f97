"""What went wrong, as plain values: so that it can be told by a process that did not see it happen."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any

from . import errors
from .errors import LogbenchError


class ReportedError(Exception):
    """An error of another process.

    Attributes:
        facts: `type`, `message`, and for a bug `traceback`, as `failure_of` gives them.
    """

    def __init__(self, facts: Mapping[str, Any]) -> None:
        super().__init__(facts["message"])
        self.facts = dict(facts)


def failure_of(error: BaseException) -> dict[str, Any]:
    """`type`, `message` in one line, and for a bug `traceback`."""
    if isinstance(error, ReportedError):
        return dict(error.facts)
    kind = type(error).__name__
    message = " ".join(str(error).split()) or kind  # MemoryError says nothing
    if isinstance(error, LogbenchError):
        return {"type": kind, "message": message}
    if isinstance(error, OSError):
        return {"type": kind, "message": f"{error.filename or ''}: {error.strerror or error}".removeprefix(": ")}
    if isinstance(error, SystemExit):
        message = f"it called sys.exit({error.code!r})"
    elif not isinstance(error, Exception):
        message = f"{kind}: {message}"
    return {"type": kind, "message": message, "traceback": "".join(traceback.format_exception(error))}


def error_of(facts: Mapping[str, Any]) -> Exception:
    """The exception to raise here for a failure there: the same class where it is one of logbench's."""
    kind = getattr(errors, str(facts["type"]), None)
    if isinstance(kind, type) and issubclass(kind, LogbenchError) and "traceback" not in facts:
        return kind(facts["message"])
    return ReportedError(facts)
