"""Pytest plugin: `pytest --logbench NAME` runs the contract rules of a component; fixtures for plugin authors.

Pytest loads it wherever logbench is installed, so it imports nothing but pytest before it is used.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..components.registry import Registry
    from .command import Done
    from .material import Tiny
    from .rule import Rule, Subject


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options `--logbench`, `--logbench-set` and `--logbench-data`."""
    group = parser.getgroup("logbench", "contract rules of logbench components")
    group.addoption("--logbench", action="append", default=[], metavar="NAME",
                    help="also run the contract rules of the installed component NAME (repeatable)")  # fmt: skip
    group.addoption("--logbench-set", action="append", default=[], metavar="NAME.KEY=VALUE",
                    help="set an option of the component that is checked (repeatable)")  # fmt: skip
    group.addoption("--logbench-expect", action="append", default=[], metavar="RULE=WHY",
                    help="a rule that the component violates on purpose, and why (repeatable)")  # fmt: skip
    group.addoption("--logbench-data", metavar="PATH", help="raw data of the data set that is checked")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add one item a rule for each name given by `--logbench`."""
    if names := config.getoption("logbench"):
        items.extend(_items(session, config, names))


def _items(session: pytest.Session, config: pytest.Config, names: list[str]) -> list[pytest.Item]:
    from pathlib import Path

    from ..base.errors import LogbenchError
    from ..base.options import parse_settings
    from ..components.registry import Registry
    from .names import kinds_of
    from .rules import expectations, rules_for, subject

    stack, found = ExitStack(), list[pytest.Item]()
    config.add_cleanup(stack.close)
    data = config.getoption("logbench_data")
    try:
        registry, settings = Registry(), parse_settings(config.getoption("logbench_set"))
        expected = expectations(config.getoption("logbench_expect"))
        for name in dict.fromkeys(names):
            for kind in kinds_of(name, registry):
                where = Path(data) if data else None
                one = stack.enter_context(subject(kind, name, registry, settings.get(name), where, expected))
                found += [
                    RuleItem.from_parent(session, name=f"{kind}:{name}:{rule.name}", subject=one, rule=rule)
                    for rule in rules_for(one)
                ]
    except LogbenchError as error:
        raise pytest.UsageError(f"--logbench: {error}") from None
    return found


class RuleItem(pytest.Item):
    """One contract rule, applied to one component."""

    def __init__(self, *, subject: Subject, rule: Rule, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.subject, self.rule = subject, rule

    def runtest(self) -> None:
        """Fail if the rule is violated; skip if it does not apply or only advises."""
        from .outcome import ViolationError

        outcome = self.rule.judge(self.subject)
        if outcome.status == "violation":
            raise ViolationError(outcome.expected, outcome.actual)
        if outcome.status == "skipped":
            pytest.skip(outcome.why)
        if outcome.status == "expected":
            pytest.xfail(outcome.why)
        if outcome.status == "advice":
            pytest.skip(f"advice: expected {outcome.expected}; actual: {outcome.actual}")  # no warning: -W error

    def repr_failure(self, excinfo: Any, style: Any = None) -> str:
        """Expected and actual behaviour, without a traceback."""
        from .outcome import ViolationError

        if isinstance(excinfo.value, ViolationError):
            title = f"rule {self.rule.name}: {self.rule.summary}"
            return f"{title}\n  expected: {excinfo.value.expected}\n  actual:   {excinfo.value.actual}"
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Name in reports."""
        return self.config.rootpath, None, self.name


@pytest.fixture
def tiny_dataset() -> Tiny:
    """Small material, made in memory: sessions, lines, messages, units, records. See `logbench.testing.Tiny`."""
    from .material import tiny

    return tiny()


@pytest.fixture(scope="session")
def logbench_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder of the test session, so that tests neither read nor fill the user's."""
    return tmp_path_factory.mktemp("logbench-cache")


@pytest.fixture(scope="session")
def hdfs_sim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small simulated HDFS log with its labels (600 blocks), written once a session."""
    from ..base.options import make
    from ..base.progress import silent
    from ..components.registry import Registry

    item = Registry().get("dataset", "hdfs-sim").item
    folder = tmp_path_factory.mktemp("hdfs-sim")
    item.build(make(item.config, {"blocks": 600}, "hdfs-sim")).generate(folder, silent)
    return folder


@pytest.fixture
def registry() -> Registry:
    """All installed components, found anew for each test."""
    from ..components.registry import Registry

    return Registry()


@pytest.fixture
def run_logbench(tmp_path: Path, logbench_cache: Path) -> Callable[..., Done]:
    """The command in a temporary folder: `run_logbench("list", "model").out`. See `logbench.testing.command`."""
    from .command import runner

    return runner(tmp_path, logbench_cache)
