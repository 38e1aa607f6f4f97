"""Wrong plugins of every kind are found by the rule that is made for them, and by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from broken import score, violated
from distributions import distribution
from mutants import MUTANTS
from mutants_installed import INSTALLED

from logbench.registry import Registry
from logbench.testing import check

CASES = [(kind, what) for kind, cases in MUTANTS.items() for what in cases]


@pytest.mark.parametrize(("kind", "what"), CASES, ids=[f"{kind} {what}" for kind, what in CASES])
def test_a_wrong_plugin_is_found(kind: str, what: str) -> None:
    rule, build, options = MUTANTS[kind][what]
    found = violated(kind, build, **options)
    assert rule in found, found


def test_a_flipped_sign_is_advice() -> None:
    flipped = score(lambda self, good, sessions: -good)
    assert "of the pairs" in violated("model", flipped, "advice")["direction"]
    assert "direction" not in violated("model", flipped)


@pytest.mark.parametrize("what", INSTALLED)
def test_a_plugin_that_another_process_contradicts_is_found(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """These need a process of their own, so the plugin is installed."""
    kind, rule, code = INSTALLED[what]
    name = "mutant" + str(list(INSTALLED).index(what))
    distribution(tmp_path, name, code.replace("NAME", name))
    monkeypatch.syspath_prepend(tmp_path)
    outcomes = list(check(kind, name, registry=Registry()))
    found = {one.rule: f"{one.expected} | {one.actual}" for one in outcomes if one.status == "violation"}
    assert rule in found, found
