"""What a rule is, and what it is applied to. The rules of each kind are in files of their own."""

from __future__ import annotations

import contextlib
import importlib
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

from ..config import suggest
from ..errors import ConfigError, PluginError
from ..passing import temporary_folder
from ..plan import Part, configured
from ..registry import Registry
from .names import CHECKED, Checked, entry_of
from .outcome import InapplicableError, Outcome, ViolationError, one_line, raised

T = TypeVar("T")
WITHOUT = "the rule 'runs' did not pass"
FILES: Mapping[Checked, tuple[str, ...]] = {
    "model": (
        "model",
        "model_units",
        "model_material",
        "model_symmetry",
        "model_labels",
        "model_events",
        "model_effects",
        "model_process",
    ),
    "parser": ("parser", "parser_templates", "parser_large"),
    "windower": ("windower", "windower_pieces", "windower_names"),
    "evaluator": ("evaluator", "evaluator_frames", "evaluator_meaning"),
    "dataset": ("dataset", "dataset_labels", "dataset_facts", "dataset_listing"),
    "reporter": ("reporter", "reporter_rows", "reporter_columns", "reporter_escapes"),
    "preset": ("published",),
    "table": ("published",),
}
"""Modules of this package that hold the rules of a kind, in their order."""


@dataclass
class Subject:
    """A component with its configuration, and what its rules share.

    Attributes:
        folder: an empty folder that rules may fill.
        data: raw files for the rules of data sets that can neither be generated nor found.
        expected_failures: why a rule is violated, by its name: the component's own (`Traits`), and further ones.
        broken: the rule `runs` was violated, so that the others would only say the same.
    """

    kind: Checked
    part: Part
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

    def once(self, name: str, make: Callable[[], T]) -> T:
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


def rules_of(kind: Checked) -> list[Rule]:
    """The rules of a kind: first `runs`, then its own, then those that every component must hold."""
    from . import any_kind

    for name in FILES[kind]:
        importlib.import_module(f".{name}", __package__)
    return [*RULES[kind], *(Rule(name, summary, check) for name, summary, check in any_kind.RULES)]


def expectations(words: Sequence[str]) -> dict[str, str]:
    """Why each rule fails, from `RULE=WHY` as it is typed.

    Raises:
        ConfigError: a reason is missing.
    """
    found = dict(word.partition("=")[::2] for word in words)
    if missing := [name for name, why in found.items() if not (name and why.strip())]:
        raise ConfigError(f"{missing[0]!r} is no RULE=WHY: say why the rule is violated on purpose")
    return found


@contextlib.contextmanager
def subject(
    kind: Checked,
    name: str,
    registry: Registry,
    settings: Mapping[str, Any] | None = None,
    data: Path | None = None,
    expected_failures: Mapping[str, str] | None = None,
) -> Iterator[Subject]:
    """The component with its options, and a folder that is gone afterwards.

    Raises:
        ConfigError: an unknown name, option, value or rule.
    """
    entry = entry_of(registry, kind, name)
    part = Part(entry, None) if kind in ("preset", "table") else configured(entry, settings)
    own = getattr(getattr(entry.item, "traits", None), "expected_failures", {})
    expected = {**(own(part.config) if callable(own) else own), **(expected_failures or {})}
    known = [rule.name for rule in rules_of(kind)]
    if unknown := [one for one in expected if one not in known]:
        raise ConfigError(f"{name} is expected to fail a rule {unknown[0]!r}{suggest(unknown[0], known)}")
    with temporary_folder() as folder:
        yield Subject(kind, part, registry, folder, data.absolute() if data else None, expected)


def check(
    kind: Checked,
    name: str,
    *,
    registry: Registry | None = None,
    settings: Mapping[str, Any] | None = None,
    data: Path | None = None,
    expected_failures: Mapping[str, str] | None = None,
) -> Iterator[Outcome]:
    """Apply the rules of a kind to the component `name`, one outcome a rule.

    Args:
        kind: of component, or `preset` or `table`.
        registry: where the component is found; by default all installed plugins.
        settings: its options, such as `{"steps": 5}`.
        data: raw files of a data set.
        expected_failures: rules that it may violate, and why: `{"labels": "it is an oracle on purpose"}`. One
            that holds is a violation itself.

    Raises:
        ConfigError: an unknown name, option, value or rule.
    """
    with subject(kind, name, registry or Registry(), settings, data, expected_failures) as one:
        for each in rules_of(kind):
            yield each.judge(one)
