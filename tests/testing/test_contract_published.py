"""Presets and published tables are checked as components are; failures can be declared, with a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from broken import TRAITS, Evaluator, offered, registry, score
from distributions import distribution

from logbench import ConfigError, EvaluatorComponent, Preset, Published, Table, testing
from logbench.components.registry import Registry
from logbench.testing import Done, check
from logbench.testing.names import CHECKED, names_of

PRESET = Preset(name="mine", summary="a set-up", source="a paper, table 1", components={"good": {"size": 2}})
TABLE = Table(name="mine", summary="a table", source="a paper, table 1", dataset="good",
              rows=[Published(model="good", metrics={"alarms": 3})])  # fmt: skip


def offering(preset: Preset = PRESET, table: Table = TABLE) -> Registry:
    """The good components with one preset and one table."""
    offers = offered()
    offers["presets"] += [preset]
    offers["evaluators"] += [EvaluatorComponent("usual", lambda: Evaluator(None), default=True)]  # type: ignore[arg-type]
    return testing.registry(plugins=False, tables=[table], **offers)


def violated(kind: Any, **offered: Any) -> dict[str, str]:
    outcomes = check(kind, "mine", registry=offering(**offered))
    return {one.rule: one.actual for one in outcomes if one.status == "violation"}


def test_good_ones_break_no_rule() -> None:
    assert not violated("preset") and not violated("table")


@pytest.mark.parametrize(
    ("change", "rule", "said"),
    [
        ({"source": ""}, "source", "''"),
        ({"protocol": {"trian": "first"}}, "protocol", "trian"),
        ({"protocol": {"held_out": 2.0}}, "protocol", "held_out"),
        ({"components": {"gud": {"size": 2}}}, "components", "'gud' is none"),
        ({"components": {"good": {"sise": 2}}}, "components", "sise"),
        ({"components": {"good": {"size": 0}}}, "components", "size"),
    ],
)
def test_a_preset_that_cannot_be_resolved_is_found(change: dict[str, Any], rule: str, said: str) -> None:
    assert said in violated("preset", preset=replace(PRESET, **change))[rule]


@pytest.mark.parametrize(
    ("change", "rule", "said"),
    [
        ({"summary": "two\nlines"}, "source", "lines"),
        ({"dataset": "gone"}, "rows", "gone"),
        ({"preset": "gone"}, "rows", "gone"),
        ({"settings": {"good": {"sise": 2}}}, "rows", "row good: "),
        ({"rows": [Published(model="gone", metrics={"alarms": 1})]}, "rows", "gone"),
        ({"rows": [Published(model="good", metrics={"f_1": 0.9})]}, "metrics", "f_1"),
        ({"rows": [Published(model="good", metrics={"alarms": float("nan")})]}, "metrics", "nan"),
        ({"rows": []}, "rows", "none"),
    ],
)
def test_a_table_that_cannot_be_resolved_is_found(change: dict[str, Any], rule: str, said: str) -> None:
    assert said in violated("table", table=replace(TABLE, **change))[rule]


def test_a_row_that_cannot_be_reproduced_needs_no_model() -> None:
    rows = [Published(model="theirs", metrics={"alarms": 1}, unknown="its width is not given")]
    assert not violated("table", table=replace(TABLE, rows=rows))


INSTALLED = [(kind, name) for kind in CHECKED[-2:] for name in names_of(Registry(), kind)]


@pytest.mark.parametrize(("kind", "name"), INSTALLED, ids=[f"{kind} {name}" for kind, name in INSTALLED])
def test_every_installed_preset_and_table_can_be_resolved(kind: Any, name: str) -> None:
    assert not [one for one in check(kind, name, registry=Registry()) if one.status == "violation"]


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
