"""What a rule is, what it is applied to, and what comes of it. The rules of each kind are in a file of its own."""

from __future__ import annotations

import contextlib
import importlib
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

from ..config import suggest
from ..errors import ConfigError, LogbenchError, PluginError
from ..interfaces import Kind
from ..plan import Part, configured
from ..registry import KINDS, Registry

T = TypeVar("T")
CORE = Path(__file__).parents[1]
WITHOUT = "the rule 'runs' did not pass"


class ViolationError(AssertionError):
    """A component breaks a rule: what was expected, what came."""

    def __init__(self, expected: str, came: str) -> None:
        super().__init__(f"expected {expected}, came {came}")
        self.expected, self.came = expected, came


class InapplicableError(Exception):
    """Why a rule does not apply to a component."""


@dataclass(frozen=True)
class Outcome:
    """What came of one rule.

    Attributes:
        rule: its name. summary: what it demands. status: `ok`, `violation` or `skipped`.
        expected, came: of a violation. why: of a rule that was skipped.
    """

    rule: str
    summary: str
    status: Literal["ok", "violation", "skipped"]
    expected: str = ""
    came: str = ""
    why: str = ""


@dataclass
class Subject:
    """A component with its configuration, and what its rules share.

    Attributes:
        folder: an empty folder that rules may fill.
        data: raw files for the rules of data sets that can neither be generated nor found.
        broken: the rule `runs` was violated, so that the others would only say the same.
    """

    kind: Kind
    part: Part
    registry: Registry
    folder: Path
    data: Path | None = None
    broken: bool = False
    _known: dict[str, Any] = field(default_factory=dict)

    def build(self) -> Any:
        """The component, built anew."""
        return self.part.build()

    @property
    def traits(self) -> Any:
        return self.part.entry.item.traits

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
    """A named check. `summary` says what holds; `check` raises `ViolationError` where it does not."""

    name: str
    summary: str
    check: Callable[[Subject], None]

    def judge(self, subject: Subject) -> Outcome:
        """Apply the rule. Whatever the component raises is a violation; what it prints goes to standard error."""
        outcome = partial(Outcome, self.name, self.summary)
        if subject.broken:
            return outcome("skipped", why=WITHOUT)
        try:
            with contextlib.redirect_stdout(sys.stderr), contextlib.chdir(subject.folder):
                self.check(subject)
        except InapplicableError as error:
            return outcome("skipped", why=_line(error))
        except ViolationError as error:
            found = outcome("violation", _line(error.expected), _line(error.came))
        except PluginError as error:  # the harness itself says what is wrong with an answer
            found = outcome("violation", self.summary, _line(error))
        except (Exception, SystemExit) as error:
            found = outcome("violation", "no error", raised(error))
        else:
            return outcome("ok")
        subject.broken = self.name == "runs"
        return found


RULES: dict[Kind, list[Rule]] = {kind: [] for kind in KINDS}


def rule(kind: Kind, name: str, summary: str) -> Callable[[Callable[[Subject], None]], Callable[[Subject], None]]:
    """Make the function a rule of this kind, in the order of the file."""

    def add(function: Callable[[Subject], None]) -> Callable[[Subject], None]:
        RULES[kind].append(Rule(name, summary, function))
        return function

    return add


def rules_of(kind: Kind) -> list[Rule]:
    """The rules of a kind: first `runs`, then its own, then those that every component must hold."""
    from . import any_kind

    importlib.import_module(f".{kind}", __package__)
    return [*RULES[kind], *(Rule(name, summary, check) for name, summary, check in any_kind.RULES)]


def kinds_of(name: str, registry: Registry, kind: str | None = None) -> list[Kind]:
    """The kinds in which a component is called `name`.

    Raises:
        ConfigError: there is none.
    """
    found: list[Kind] = []
    for one in KINDS:
        if kind in (None, one):
            with contextlib.suppress(ConfigError):
                registry.get(one, name)
                found.append(one)
    if found:
        return found
    if kind and (others := [one for one in KINDS if name in registry.components[one]]):
        raise ConfigError(f"no {kind} is called {name!r}, but a {' and a '.join(others)}")
    every = {known for table in registry.components.values() for known in table}
    aside = [str(plugin) for plugin in registry.broken]
    more = f"; set aside: {', '.join(aside)} (see: logbench plugins)" if aside else ""
    near = suggest(name, every)
    near = near if "did you mean" in near else "; see: logbench list"
    raise ConfigError(f"no {kind or 'component'} is called {name!r}{near}{more}")


@contextlib.contextmanager
def subject(
    kind: Kind, name: str, registry: Registry, settings: Mapping[str, Any] | None = None, data: Path | None = None
) -> Iterator[Subject]:
    """The component with its options, and a folder that is gone afterwards.

    Raises:
        ConfigError: an unknown name, option or value.
    """
    part = configured(registry.get(kind, name), settings)
    with tempfile.TemporaryDirectory(prefix="logbench-check-", ignore_cleanup_errors=True) as folder:
        yield Subject(kind, part, registry, Path(folder), data.absolute() if data else None)


def check(
    kind: Kind,
    name: str,
    *,
    registry: Registry | None = None,
    settings: Mapping[str, Any] | None = None,
    data: Path | None = None,
) -> Iterator[Outcome]:
    """Apply the rules of a kind to the component `name`, one outcome a rule.

    Args:
        registry: where the component is found; by default all installed plugins.
        settings: its options, such as `{"steps": 5}`.
        data: raw files of a data set.

    Raises:
        ConfigError: an unknown name, option or value.
    """
    with subject(kind, name, registry or Registry(), settings, data) as one:
        for each in rules_of(kind):
            yield each.judge(one)


def expect(holds: bool, expected: str, came: str) -> None:
    """Raise `ViolationError` unless `holds`."""
    if not holds:
        raise ViolationError(expected, came)


def raised(error: BaseException) -> str:
    """An error in one line, with the line of the component's code, not of a library, that led to it."""
    text = str(error) if isinstance(error, LogbenchError) else f"{type(error).__name__}: {error}"
    frames = [
        (str(frame.f_globals.get("__name__")).partition(".")[0], Path(frame.f_code.co_filename), line)
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    outside = [one for one in frames if CORE not in one[1].parents]
    own = [(file, line) for package, file, line in outside if package == outside[0][0]]
    return _line(text) + (f" ({own[-1][0].name}:{own[-1][1]})" if own else "")


def _line(text: object) -> str:
    return " ".join(str(text).split())
