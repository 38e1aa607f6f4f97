"""The outcome of a rule: ok, violation, skipped, advice, or an expected violation."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..base.errors import LogbenchError

CORE = Path(__file__).parents[1]
Status = Literal["ok", "violation", "skipped", "advice", "expected"]


class ViolationError(AssertionError):
    """A component breaks a rule; has the expected and the actual behaviour."""

    def __init__(self, expected: str, actual: str) -> None:
        super().__init__(f"expected {expected}, actual: {actual}")
        self.expected, self.actual = expected, actual

    @property
    def came(self) -> str:
        """`actual`, under its earlier name."""
        return self.actual


class InapplicableError(Exception):
    """Why a rule does not apply to a component."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of one rule.

    Attributes:
        rule: name of the rule.
        summary: what the rule demands.
        status: `ok`, `violation`, `skipped` (the rule does not apply), `advice` (the rule only advises) or
            `expected` (violated, as the component declares).
        expected, actual: expected and actual behaviour of a violation or advice.
        why: why a rule was skipped, or is violated as declared.
    """

    rule: str
    summary: str
    status: Status
    expected: str = ""
    actual: str = ""
    why: str = ""

    @property
    def came(self) -> str:
        """`actual`, under its earlier name."""
        return self.actual


def expect(holds: bool, expected: str, actual: str) -> None:
    """Raise `ViolationError` unless `holds`."""
    if not holds:
        raise ViolationError(expected, actual)


def raised(error: BaseException) -> str:
    """Describe an error in one line, with the line of the component's own code that led to it."""
    text = str(error) if isinstance(error, LogbenchError) else f"{type(error).__name__}: {error}"
    frames = [
        (str(frame.f_globals.get("__name__")).partition(".")[0], Path(frame.f_code.co_filename), line)
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    outside = [one for one in frames if CORE not in one[1].parents]
    own = [(file, line) for package, file, line in outside if package == outside[0][0]]
    return one_line(text) + (f" ({own[-1][0].name}:{own[-1][1]})" if own else "")


def one_line(text: object) -> str:
    """The text without line breaks."""
    return " ".join(str(text).split())
