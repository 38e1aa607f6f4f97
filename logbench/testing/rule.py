"""A contract rule, and the subject that it checks. The rules of each kind have files of their own."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

from ..base.errors import PluginError
from ..components.configured import ConfiguredComponent
from ..components.registry import Registry
from .names import CHECKED, Checked
from .outcome import InapplicableError, Outcome, ViolationError, one_line, raised

T = TypeVar("T")
WITHOUT = "the rule 'runs' did not pass"


@dataclass
class Subject:
    """A component with its configuration, and results that its rules share.

    Attributes:
        folder: an empty folder that rules may fill.
        data: raw files for the rules of data sets that can neither be generated nor found.
        expected_failures: why a rule is violated, by its name: the component's own (its traits), and further ones.
        broken: the rule `runs` was violated, so that the others would only say the same.
    """

    kind: Checked
    part: ConfiguredComponent[Any]
    registry: Registry
    folder: Path
    data: Path | None = None
    expected_failures: Mapping[str, str] = field(default_factory=dict)
    broken: bool = False
    _known: dict[str, Any] = field(default_factory=dict)

    def build(self) -> Any:
        """Build the component."""
        return self.part.build()

    @property
    def traits(self) -> Any:
        return self.part.entry.item.traits

    def trait(self, name: str) -> Any:
        """A trait, computed for this configuration if it is a function."""
        found = getattr(self.traits, name)
        return found(self.part.config) if callable(found) else found

    def cached(self, name: str, make: Callable[[], T]) -> T:
        """Result of `make()`, computed on the first call with this `name`."""
        if name not in self._known:
            self._known[name] = make()
        made: T = self._known[name]
        return made

    def fresh(self, name: str) -> Path:
        """Make an empty folder."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))


@dataclass(frozen=True)
class Rule:
    """A named check. `summary` says what must hold; `check` raises `ViolationError` if it does not.

    Attributes:
        advises: violations are only advice, because a correct component may cause them.
    """

    name: str
    summary: str
    check: Callable[[Subject], None]
    advises: bool = False

    def judge(self, subject: Subject) -> Outcome:
        """Apply the rule. Any error of the component is a violation; its prints go to standard error."""
        outcome = self._found(subject)
        why = subject.expected_failures.get(self.name)
        if why is None or outcome.status == "skipped":
            return outcome
        if outcome.status == "ok":
            return replace(outcome, status="violation", expected=f"to be violated, since {why}", actual="it holds")
        return replace(outcome, status="expected", why=one_line(why))

    def _found(self, subject: Subject) -> Outcome:
        outcome = partial(Outcome, self.name, self.summary)
        if subject.broken:
            return outcome("skipped", why=WITHOUT)
        try:
            with contextlib.redirect_stdout(sys.stderr), contextlib.chdir(subject.folder):
                self.check(subject)
        except InapplicableError as error:
            return outcome("skipped", why=one_line(error))
        except ViolationError as error:
            bad: Literal["advice", "violation"] = "advice" if self.advises else "violation"
            result = outcome(bad, one_line(error.expected), one_line(error.actual))
        except PluginError as error:  # the harness itself found the fault
            result = outcome("violation", self.summary, one_line(error))
        except (Exception, SystemExit) as error:
            result = outcome("violation", "no error", raised(error))
        else:
            return outcome("ok")
        subject.broken = self.name == "runs"
        return result


RULES: dict[Checked, list[Rule]] = {kind: [] for kind in CHECKED}


def rule(
    kind: Checked, name: str, summary: str, advises: bool = False
) -> Callable[[Callable[[Subject], None]], Callable[[Subject], None]]:
    """Register the function as a rule of this kind, in the order of the file."""

    def add(function: Callable[[Subject], None]) -> Callable[[Subject], None]:
        RULES[kind].append(Rule(name, summary, function, advises))
        return function

    return add
