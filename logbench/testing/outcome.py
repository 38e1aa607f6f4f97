"""What comes of a rule: it holds, it is violated, it does not apply, it advises, or it fails as was declared."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..base.errors import LogbenchError

CORE = Path(__file__).parents[1]
Status = Literal["ok", "violation", "skipped", "advice", "expected"]


class ViolationError(AssertionError):
    """A component breaks a rule: what was expected, and what is the case."""

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
    """What came of one rule.

    Attributes:
        rule: its name. summary: what it demands.
        status: `ok`, `violation`, `skipped` (it does not apply), `advice` (it advises only) or `expected` (it is
            violated, as the component declares).
        expected, actual: of a violation or advice. why: of a rule that was skipped, or is violated as declared.
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
    """An error in one line, with the line of the component's code, not of a library, that led to it."""
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
