"""Describe exceptions as JSON values, so that another process can report them."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any

from ..base import errors
from .errors import LogbenchError
from .jsonable import shorten

# Most lines of a traceback to keep.
MOST_LINES = 500


class ReportedError(Exception):
    """An error that happened in another process.

    Attributes:
        facts: `type`, `message`, and for a bug `traceback`, as `failure_of` gives them.
    """

    def __init__(self, facts: Mapping[str, Any]) -> None:
        super().__init__(facts["message"])
        self.facts = dict(facts)

    def __reduce__(self) -> tuple[type[ReportedError], tuple[dict[str, Any]]]:
        return type(self), (self.facts,)  # an exception is pickled by its text otherwise


def failure_of(error: BaseException) -> dict[str, Any]:
    """`type`, `message` in one line, and for a bug `traceback`."""
    if isinstance(error, ReportedError):
        return dict(error.facts)
    kind = type(error).__name__
    message = _text(error) or kind  # MemoryError says nothing
    if isinstance(error, LogbenchError):
        return {"type": kind, "message": message}
    if isinstance(error, OSError):
        return {
            "type": kind,
            "message": shorten(f"{error.filename or ''}: {error.strerror or error}".removeprefix(": ")),
        }
    if isinstance(error, SystemExit):
        message = f"it called sys.exit({error.code!r})"
    elif not isinstance(error, Exception):
        message = f"{kind}: {message}"
    lines = "".join(traceback.format_exception(error)).splitlines()
    cut = [*lines[:MOST_LINES], "…"] if len(lines) > MOST_LINES else lines
    return {"type": kind, "message": message, "traceback": "".join(f"{_indented(line)}\n" for line in cut)}


def _text(error: BaseException) -> str:
    try:
        return shorten(str(error))
    except Exception as broken:  # of a plugin's own class
        return f"its text cannot be made: {type(broken).__name__}"


def _indented(line: str) -> str:
    return " " * (len(line) - len(line.lstrip(" "))) + shorten(line)


def error_of(facts: Mapping[str, Any]) -> Exception:
    """The exception to raise for a failure of another process: of the same class if it is one of logbench's."""
    kind = getattr(errors, str(facts["type"]), None)
    if isinstance(kind, type) and issubclass(kind, LogbenchError) and "traceback" not in facts:
        return kind(facts["message"])
    return ReportedError(facts)
