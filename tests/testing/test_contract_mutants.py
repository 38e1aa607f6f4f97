"""Wrong plugins of every kind are found by the rule that is made for them, and by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from broken import GOOD, TRAITS, Evaluator, Model, registry, score, violated
from distributions import distribution
from mutants import ADVISED, MUTANTS
from mutants_installed import INSTALLED
from mutants_reporters import reporting, wrong_headline
from mutants_windowers import STRETCHES, Endless

from logbench import run
from logbench.components.registry import Registry
from logbench.testing import check, material

CASES = [(kind, what) for kind, cases in MUTANTS.items() for what in cases]


@pytest.mark.parametrize(("kind", "what"), CASES, ids=[f"{kind} {what}" for kind, what in CASES])
def test_a_wrong_plugin_is_found(kind: str, what: str) -> None:
    rule, build, options = MUTANTS[kind][what]
    found = violated(kind, build, **options)
    assert rule in found, found


MAYBE = [(kind, what) for kind, cases in ADVISED.items() for what in cases]


@pytest.mark.parametrize(("kind", "what"), MAYBE, ids=[f"{kind} {what}" for kind, what in MAYBE])
def test_what_may_be_on_purpose_is_advice(kind: str, what: str) -> None:
    rule, build, options = ADVISED[kind][what]
    assert rule in violated(kind, build, "advice", **options)
    assert rule not in violated(kind, build, **options)


def test_a_flipped_sign_is_advice() -> None:
    flipped = score(lambda self, good, sessions: -good)
    assert "of the pairs" in violated("model", flipped, "advice")["direction"]
    assert "direction" not in violated("model", flipped)


def test_evaluators_are_checked_with_the_frames_of_a_real_run(tmp_path: Path) -> None:
    given: list[pl.DataFrame] = []

    class Keeps(Evaluator):
        def evaluate(self, units: pl.DataFrame) -> Mapping[str, Any]:
            given.append(units)
            return super().evaluate(units)

    GOOD["dataset"](None).generate(tmp_path, None)
    settings = {"protocol": {"train_units": 3, "held_out": 0.0, "threshold": "fixed", "value": 0.5}}
    (record,) = run("good", dataset="good", data=tmp_path, registry=registry("evaluator", Keeps), out=tmp_path,
                    evaluators=("broken",), settings=settings, cache=False)  # fmt: skip
    assert record.status == "ok", record.error
    checked = {name: dtype for name, dtype in material.units().schema.items() if name != "nll"}
    assert given and all(dict(frame.schema) == checked for frame in given)


def test_a_seed_that_changes_nothing_is_advice() -> None:
    said = violated("model", Model, "advice", traits=replace(TRAITS, stochastic=True))
    assert "stochastic=False" in said["seed-matters"]


def test_a_reporter_of_all_units_under_a_protocol_of_distinct_ones_is_advised() -> None:
    assert "distinct" in violated("reporter", reporting(wrong_headline), "advice")["headline"]


def test_a_windower_of_times_without_a_silence_is_advised() -> None:
    assert "attribute silence" in violated("windower", Endless, "advice", traits=STRETCHES)["silent"]


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
