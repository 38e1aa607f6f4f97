"""Traits are looked at where a component is registered: a wrong one is told in one line, with what was meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, get_args

import pytest
from test_registry import Thing, only_error, plugin

from logbench import ModelComponent, ModelTraits, hookimpl
from logbench.api.components import Kind
from logbench.api.traits import Need
from logbench.components.component_kinds import COMPONENTS, traits_class
from logbench.components.registry import KINDS, Registry
from logbench.components.trait_checks import fault, mismatch
from logbench.running.needs import NEEDS


@dataclass(frozen=True)
class Config:
    """A configuration that traits may be a function of."""

    h: int = 3


WRONG: list[tuple[str, Mapping[str, Any], str]] = [
    (
        "model",
        {"supervision": "super"},
        "traits.supervision='super': expected one of unsupervised, semi-supervised",
    ),
    ("model", {"supervision": "semisupervised"}, "; did you mean 'semi-supervised'?"),
    ("model", {"supervision": None}, "traits.supervision=None: expected one of"),
    ("model", {"needs": {"time"}}, "traits.needs={'time'}: expected one of times, templates"),
    ("model", {"needs": frozenset({"times", "line_label"})}, "did you mean 'line_labels'?"),
    ("model", {"needs": "times"}, "traits.needs='times': expected a set, such as frozenset({'times'})"),
    ("model", {"needs": ["times"]}, "traits.needs=['times']: expected a set"),
    ("model", {"min_events": -1}, "traits.min_events=-1: expected 1 or more"),
    ("model", {"min_events": 0}, "traits.min_events=0: expected 1 or more"),
    ("model", {"min_events": 2.5}, "traits.min_events=2.5: expected a whole number"),
    ("model", {"min_events": True}, "traits.min_events=True: expected a whole number"),
    ("model", {"min_events": lambda config: config.h - 9}, "traits.min_events=-6: expected 1 or more"),
    (
        "model",
        {"min_events": lambda config: "3"},
        "traits.min_events of the configuration is '3': expected a whole",
    ),
    (
        "model",
        {"min_events": lambda config: config.g},
        "traits.min_events of the configuration raises AttributeErr",
    ),
    ("model", {"fixed_threshold": "9"}, "traits.fixed_threshold='9': expected a number"),
    ("model", {"fixed_threshold": float("nan")}, "traits.fixed_threshold=nan: expected a number"),
    ("model", {"fixed_threshold": lambda _: "high"}, "traits.fixed_threshold of the configuration is 'high'"),
    ("model", {"binary_scores": True}, "traits.binary_scores: they need a fixed_threshold"),
    ("model", {"unlabelled": True}, "traits.unlabelled: only supervised models are told labels"),
    ("model", {"binary_scores": 1, "fixed_threshold": 0.5}, "traits.binary_scores=1: expected True or False"),
    ("model", {"keys_only": "no"}, "traits.keys_only='no': expected True or False"),
    ("model", {"uses_alpha": None}, "traits.uses_alpha=None: expected True or False"),
    ("windower", {"line_windows": "yes"}, "traits.line_windows='yes': expected True or False"),
    (
        "windower",
        {"overlaps": lambda config: config.h},
        "traits.overlaps of the configuration is 3: expected True or",
    ),
    ("windower", {"unit": 3}, "traits.unit=3: expected a text"),
    ("parser", {"expected_failures": "ids"}, "traits.expected_failures='ids': expected a Mapping"),
]


@pytest.mark.parametrize(("kind", "traits", "said"), WRONG, ids=[said[:60] for *_, said in WRONG])
def test_a_component_with_wrong_traits_is_set_aside_with_one_line(
    kind: Kind, traits: Mapping[str, Any], said: str
) -> None:
    item = COMPONENTS[kind]("x", Thing, config=Config, traits=traits_class(kind)(**traits))
    hooks = {f"logbench_{kind}s": hookimpl(lambda: [item], specname=f"logbench_{kind}s")}
    error = only_error(plugin("b", **hooks))
    assert error.startswith(f"logbench_{kind}s yields 'x' with traits.") and said in error


def test_traits_that_are_none_are_told() -> None:
    item: Any = ModelComponent("x", Thing, traits={"baseline": True})  # type: ignore[arg-type]
    error = only_error(plugin("b", logbench_models=hookimpl(lambda: [item])))
    assert "traits must be ModelTraits(…), got dict" in error


@pytest.mark.parametrize(
    "traits",
    [
        ModelTraits(),
        ModelTraits(supervision="supervised", needs=frozenset({"times", "templates", "line_labels"})),
        ModelTraits(needs={"times"}),  # type: ignore[arg-type]
        ModelTraits(
            min_events=lambda config: config.h + 1, fixed_threshold=lambda config: config.h, binary_scores=True
        ),
        ModelTraits(fixed_threshold=1, binary_scores=True),
        ModelTraits(fixed_threshold=float("inf")),
    ],
)
def test_right_traits_are_taken(traits: ModelTraits) -> None:
    assert fault("model", traits, Config()) == ""


@pytest.mark.parametrize("kind", ["dataset", "parser", "windower", "model", "evaluator", "reporter"])
def test_every_installed_component_has_traits_that_make_sense(kind: Kind) -> None:
    registry = Registry()
    assert not registry.broken
    for name, entry in registry.components[kind].items():
        config = entry.item.config() if entry.item.config else None
        assert fault(kind, entry.item.traits, config) == "", name


def test_each_trait_is_checked_by_its_type() -> None:
    """A trait that is added is checked, too: no value of a class of its own fits any of them."""
    for kind in KINDS:
        for field in fields(traits_class(kind)):
            assert fault(kind, traits_class(kind)(**{field.name: object()})) != "", field.name
    assert mismatch(1, int) == mismatch(1, float) == mismatch("a", str) == mismatch(None, float | None) == ""


def test_each_need_can_be_looked_for() -> None:
    assert set(NEEDS) == set(get_args(Need))
