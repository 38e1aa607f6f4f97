"""The old classes, of any kind: they warn where a field is of one kind, and work."""

from __future__ import annotations

import dataclasses
import warnings
from typing import Any

import pytest
from test_registry import CARD, Thing, only_error, plugin

import logbench
from logbench import Component, ModelTraits, Traits, WindowerTraits, hookimpl
from logbench.api.components import Kind
from logbench.components.component_kinds import COMPONENTS, traits_class
from logbench.components.registry import KINDS, Registry

OLD: dict[Kind, dict[str, Any]] = {
    "dataset": {"card": CARD},
    "model": {"traits": {"rule": True, "fixed_threshold": 0.5, "needs": frozenset({"times"})}},
    "windower": {"traits": {"cuts_lines": True, "unit": "window"}},
    "embedding": {"default": True},
    "evaluator": {"default": True},
    "reporter": {"default": True},
}


def registered(kind: Kind, item: Any) -> Any:
    """The component as the registry knows it."""
    found = Registry([plugin("a", **{f"logbench_{kind}s": hookimpl(lambda: [item])})])
    assert not found.broken, found.broken[0].error
    return found.get(kind, item.name).item


def old(kind: Kind, **more: Any) -> Component[Any]:
    """A component in the old classes, with what is of its kind."""
    fields = OLD.get(kind, {})
    with pytest.warns(DeprecationWarning) if fields else warnings.catch_warnings():
        made = {"traits": Traits(**fields["traits"])} if "traits" in fields else fields
        return Component("x", Thing, None, "a thing", **made, **more)


@pytest.mark.parametrize("kind", KINDS)
def test_a_component_of_the_old_class_is_registered_as_one_of_its_kind(kind: Kind) -> None:
    item = registered(kind, old(kind, aliases=("y",)))
    assert type(item) is COMPONENTS[kind] and type(item.traits) is traits_class(kind)
    assert (item.name, item.build, item.config, item.summary, item.aliases) == (
        "x",
        Thing,
        None,
        "a thing",
        ("y",),
    )
    assert getattr(item, "card", None) is (CARD if kind == "dataset" else None)
    assert getattr(item, "default", True) is True


def test_old_traits_keep_what_they_say_under_the_names_of_now() -> None:
    model, windower = (registered(kind, old(kind)).traits for kind in ("model", "windower"))
    assert model == ModelTraits(binary_scores=True, fixed_threshold=0.5, needs=frozenset({"times"}))
    assert windower == WindowerTraits(line_windows=True, unit="window")


def test_traits_that_every_kind_has_serve_any() -> None:
    item = Component("x", Thing, traits=Traits(expected_failures={"ids": "on purpose"}))
    assert registered("model", item).traits == ModelTraits(expected_failures={"ids": "on purpose"})


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Traits(rule=True), "logbench.Traits: rule (now binary_scores) is deprecated, use ModelTraits; "),
        (lambda: Traits(cuts_lines=True, unit="w"), "Traits: cuts_lines (now line_windows), unit is deprecated"),
        (lambda: Traits(unit="w"), "use WindowerTraits; it goes away in logbench 0.3"),
        (
            lambda: Component("x", Thing, card=CARD),
            "logbench.Component: card is deprecated, use DatasetComponent;",
        ),
        (lambda: Component("x", Thing, default=True), "default is deprecated, use EvaluatorComponent or Reporter"),
    ],
)
def test_a_field_of_one_kind_in_the_old_classes_warns_where_it_is_written(make: Any, said: str) -> None:
    with pytest.warns(DeprecationWarning) as caught:
        make()
    assert len(caught) == 1 and said in str(caught[0].message) and caught[0].filename == __file__


@pytest.mark.filterwarnings("ignore:logbench.Traits:DeprecationWarning")
@pytest.mark.parametrize(
    ("kind", "traits", "said"),
    [
        ("model", lambda: Traits(cuts_lines=True), "traits.cuts_lines is for windowers alone"),
        ("parser", lambda: Traits(overlaps=True), "traits.overlaps is for windowers alone"),
        ("model", lambda: Traits(rule=True), "traits.binary_scores: they need a fixed_threshold"),
        ("model", WindowerTraits, "traits must be ModelTraits(…), got WindowerTraits"),
        ("parser", ModelTraits, "traits must be ComponentTraits(…), got ModelTraits"),
    ],
)
def test_traits_of_another_kind_set_the_plugin_aside(kind: Kind, traits: Any, said: str) -> None:
    items = [Component("x", Thing, traits=traits())]
    assert said in only_error(plugin("b", **{f"logbench_{kind}s": hookimpl(lambda: items)}))


def test_a_component_of_another_kind_sets_the_plugin_aside() -> None:
    items = [logbench.ModelComponent("x", Thing)]
    error = only_error(plugin("b", logbench_parsers=hookimpl(lambda: items)))
    assert error == "logbench_parsers must yield ParserComponent, got ModelComponent"


def test_components_of_a_kind_have_no_field_of_another() -> None:
    with pytest.raises(TypeError, match="card"):
        logbench.ParserComponent("x", Thing, card=CARD)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="card"):
        logbench.DatasetComponent("x", Thing)  # type: ignore[call-arg]
    assert not {"rule", "cuts_lines", "unit"} & {field.name for field in dataclasses.fields(ModelTraits)}
