"""What a rule is, and what it is applied to. The rules of each kind are in files of their own."""

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
    """A component with its configuration, and what its rules share.

    Attributes:
        folder: an empty folder that rules may fill.
        data: raw files for the rules of data sets that can neither be generated nor found.
        expected_failures: why a rule is violated, by its name: the component's own (its traits), and further ones.
        broken: the rule `runs` was violated, so that the others would only say the same.
    """

    kind: Checked
    part: ConfiguredComponent
    registry: Registry
    folder: Path
    data: Path | None = None
    expected_failures: Mapping[str, str] = field(default_factory=dict)
    broken: bool = False
    _known: dict[str, Any] = field(default_factory=dict)

    def build(self) -> Any:
        """The component, built anew."""
        return self.part.build()

    @property
    def traits(self) -> Any:
        return self.part.entry.item.traits

    def trait(self, name: str) -> Any:
        """A trait, for this configuration where it is a function of it."""
        found = getattr(self.traits, name)
        return found(self.part.config) if callable(found) else found

    def cached(self, name: str, make: Callable[[], T]) -> T:
        """What `make()` gives, made on the first call with this `name` and kept."""
        if name not in self._known:
            self._known[name] = make()
        made: T = self._known[name]
        return made

    def fresh(self, name: str) -> Path:
        """A new empty folder."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))


@dataclass(frozen=True)
class Rule:
    """A named check. `summary` says what holds; `check` raises `ViolationError` where it does not.

    Attributes:
        advises: what it finds is advice, since a right component may do so, too.
    """

    name: str
    summary: str
    check: Callable[[Subject], None]
    advises: bool = False

    def judge(self, subject: Subject) -> Outcome:
        """Apply the rule. Whatever the component raises is a violation; what it prints goes to standard error."""
        found = self._found(subject)
        why = subject.expected_failures.get(self.name)
        if why is None or found.status == "skipped":
            return found
        if found.status == "ok":
            return replace(found, status="violation", expected=f"to be violated, since {why}", actual="it holds")
        return replace(found, status="expected", why=one_line(why))

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
            found = outcome(bad, one_line(error.expected), one_line(error.actual))
        except PluginError as error:  # the harness itself says what is wrong with an answer
            found = outcome("violation", self.summary, one_line(error))
        except (Exception, SystemExit) as error:
            found = outcome("violation", "no error", raised(error))
        else:
            return outcome("ok")
        subject.broken = self.name == "runs"
        return found


RULES: dict[Checked, list[Rule]] = {kind: [] for kind in CHECKED}


def rule(
    kind: Checked, name: str, summary: str, advises: bool = False
) -> Callable[[Callable[[Subject], None]], Callable[[Subject], None]]:
    """Make the function a rule of this kind, in the order of the file."""

    def add(function: Callable[[Subject], None]) -> Callable[[Subject], None]:
        RULES[kind].append(Rule(name, summary, function, advises))
        return function

    return add
