"""Failures of a rule can be declared, with a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from broken import TRAITS, registry, score
from distributions import distribution

from logbench import ConfigError
from logbench.testing import Done, check

NAMED = score(lambda self, good, sessions: good + sessions.ids.str.len_chars().to_numpy())
WHY = "it is drawn from the id"


def outcome(rule: str, **options: Any) -> Any:
    found = registry("model", NAMED, traits=options.pop("traits", TRAITS))
    return next(one for one in check("model", "broken", registry=found, **options) if one.rule == rule)


def test_a_failure_is_expected_where_the_component_or_the_user_says_why() -> None:
    assert outcome("ids").status == "violation"
    for said in (
        outcome("ids", expected_failures={"ids": WHY}),
        outcome("ids", traits=replace(TRAITS, expected_failures={"ids": WHY})),
        outcome("ids", traits=replace(TRAITS, expected_failures=lambda config: {"ids": WHY})),
    ):
        assert (said.status, said.why) == ("expected", WHY) and "instead of" in said.actual


def test_an_expected_failure_that_does_not_happen_is_reported() -> None:
    said = outcome("again", expected_failures={"again": WHY})
    assert said.status == "violation" and WHY in said.expected and said.actual == "it holds"


def test_an_expected_failure_of_a_rule_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="a rule 'agian'; did you mean 'again'"):
        outcome("again", expected_failures={"agian": WHY})


def test_the_command_takes_expected_failures(run_logbench: Callable[..., Done], tmp_path: Path) -> None:
    code = (
        "import logbench\n\nclass Named:\n    def fit(self, train, context):\n        pass\n\n"
        "    def score(self, sessions, context):\n        return sessions.ids.str.len_chars().to_numpy() * 1.0\n\n"
        "@logbench.hookimpl\ndef logbench_models():\n    yield logbench.ModelComponent('named', Named)\n"
    )
    distribution(tmp_path / "site", "named", code)
    site = str(tmp_path / "site")
    assert run_logbench("check", "named", PYTHONPATH=site).code == 1
    done = run_logbench("check", "named", "--expect", f"ids={WHY}", PYTHONPATH=site)
    assert done.code == 0 and f"violated as expected, {WHY}: expected " in done.out, done.out
    assert "1 violated as expected" in done.err
    done = run_logbench("check", "named", "--expect", "again=why not", "--expect", f"ids={WHY}", PYTHONPATH=site)
    assert done.code == 1 and "VIOLATION: expected to be violated, since why not; actual: it holds" in done.out
    for words in (["--expect", "ids="], ["--expect", "idz=x"], ["predict-none", "--expect", "ids=x"]):
        assert run_logbench("check", "named", *words, PYTHONPATH=site).code == 2
