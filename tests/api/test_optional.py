"""What a component may have beside what its kind must: a method, an attribute or a property is found."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from with_torch import needs_torch

import logbench
from logbench import Lines
from logbench.api.optional_models import MODEL_METHODS
from logbench.components.configured import configured
from logbench.components.registry import Registry
from logbench.running.models import LocalModel

ATTRIBUTES = {
    "HasHome": {"home": "/data"},
    "Piecewise": {"piecewise": False},
    "HasSilence": {"silence": 30.0},
    "Continues": {"memory": None, "go_on": print},
    "OfUnits": {"of_units": True},
    "InTime": {"in_time": True},
    "NeedsFirstAlarm": {"needs_first_alarm": True},
    "NeedsKinds": {"needs_kinds": True},
    "HasCaution": {"caution": None},
    "HasColumns": {"columns": ("f1",)},
    "HasDirections": {"directions": {"f1": "higher"}},
    "HasCounts": {"counted": dict},
    "Saves": {"save": print},
    "Loads": {"load": print},
    "Expects": {"expected": print},
    "Explains": {"explain": print},
    "Updates": {"update": print},
    "TakesData": {"of_data": print},
    "Guesses": {"guess": print},
}


class Plain:
    """It has nothing beside."""


@pytest.mark.parametrize("name", sorted(ATTRIBUTES))
def test_a_class_that_inherits_nothing_has_it_by_its_members_alone(name: str) -> None:
    protocol, members = getattr(logbench, name), ATTRIBUTES[name]
    assert not isinstance(Plain(), protocol)
    assert isinstance(type("AsClass", (), members)(), protocol)
    built: Any = Plain()
    for member, value in members.items():
        assert not isinstance(built, protocol), f"it needs {member}, too"
        setattr(built, member, value)
    assert isinstance(built, protocol)
    properties = {
        name: value if callable(value) else property(lambda _, kept=value: kept) for name, value in members.items()
    }
    assert isinstance(type("AsProperty", (), properties)(), protocol)


def test_lines_have_counts_only_where_the_reader_counts() -> None:
    frame = pl.LazyFrame({"line": pl.Series([0], dtype=pl.UInt32), "message": ["a"]})
    assert not isinstance(Lines(frame), logbench.HasCounts)
    assert isinstance(Lines(frame, counted=lambda: {"undecodable_lines": 1}), logbench.HasCounts)


@pytest.mark.parametrize(
    ("name", "can"), [pytest.param("deeplog", "expected load save", marks=needs_torch), ("random", "load save")]
)
def test_what_a_model_can_is_what_it_has(name: str, can: str) -> None:
    model = LocalModel(configured(Registry().get("model", name)), lambda _: None)
    assert [method for method in sorted(MODEL_METHODS) if model.can(method)] == can.split()


def test_own_windowers_and_evaluators_declare_what_the_harness_asks_them() -> None:
    registry = Registry()
    built = {name: configured(registry.get("windower", name)).build() for name in ("time", "count", "session")}
    assert [name for name, one in built.items() if isinstance(one, logbench.HasSilence)] == ["time"]
    evaluator = configured(registry.get("evaluator", "classification")).build()
    assert isinstance(evaluator, logbench.OfUnits) and isinstance(evaluator, logbench.HasDirections)
