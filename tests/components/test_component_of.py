"""A class, an instance or a factory is a component: its kind, name, traits and options."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Generic, TypeVar

import pytest

import logbench
from logbench import ConfigError, ModelTraits, PluginError, component_of, option
from logbench.components.component_kinds import COMPONENTS
from logbench.components.configured import configured
from logbench.components.entry import Plugin, RegisteredComponent


class MyLSTMModel:
    """Guesses keys.

    k: how many may come
    """

    traits = ModelTraits(min_events=2)

    def __init__(self, k: int = 5, *, name_of_loss: str = "nll", layers: list[int] | None = None) -> None:
        self.k, self.name_of_loss, self.layers = k, name_of_loss, layers

    def fit(self, train: Any, context: Any) -> None: ...

    def score(self, sessions: Any, context: Any) -> Any: ...


@dataclass(frozen=True)
class Options:
    """Options of a class that takes them as one object."""

    h: int = option(10, "events before", ge=1)


class WithConfig:
    """Takes its options as one object."""

    def __init__(self, config: Options) -> None:
        self.config = config

    def fit(self, train: Any, context: Any) -> None: ...

    def score(self, sessions: Any, context: Any) -> Any: ...


C = TypeVar("C", bound=Options)


class Base(Generic[C]):
    """Stands for a base class such as NextKeyModel."""

    def __init__(self, config: C) -> None:
        self.config = config

    def fit(self, train: Any, context: Any) -> None: ...

    def score(self, sessions: Any, context: Any) -> Any: ...


@dataclass(frozen=True)
class MoreOptions(Options):
    """The options of a subclass."""

    width: int = 3


class OfBase(Base[MoreOptions]):
    """Says its options by the base class."""


M = TypeVar("M", bound=MoreOptions)


class Narrower(Base[M]):
    """Binds the options of its base class to more."""


class WithoutArgument(Narrower):  # type: ignore[type-arg]
    """Has the options that its base class is bound to."""


def built(item: Any, **values: Any) -> Any:
    """What the harness builds of a component with these options."""
    entry = RegisteredComponent(item, Plugin("p", "d", "1", lambda: None))
    return configured(entry, values).build()


def kind(methods: str, **attributes: Any) -> type:
    return type("Some", (), {name: lambda self: None for name in methods.split()} | attributes)


def test_class() -> None:
    item = component_of(MyLSTMModel)
    assert isinstance(item, logbench.ModelComponent)
    assert (item.name, item.summary, item.traits.min_events) == ("my-lstm-model", "Guesses keys", 2)
    made = built(item, k="7", name_of_loss="rank")  # texts, as from --set
    assert (made.k, made.name_of_loss, made.layers) == (7, "rank", None)
    with pytest.raises(ConfigError, match=r"my-lstm-model.depth: no such option"):
        built(item, depth=3)


def test_meaning_of_an_option_is_in_the_docstring() -> None:
    assert component_of(MyLSTMModel).config.__dataclass_fields__["k"].metadata["help"] == "how many may come"


@pytest.mark.parametrize(
    ("methods", "wanted"),
    [("fit score", "model"), ("fit match", "parser"), ("assign", "windower"), ("evaluate", "evaluator"),
     ("report", "reporter")],
)  # fmt: skip
def test_kind_by_methods(methods: str, wanted: Any) -> None:
    assert type(component_of(kind(methods))) is COMPONENTS[wanted]


def test_data_set_has_a_card() -> None:
    card = logbench.Card(title="t", label="l", parser="p", windower="w", protocol="x", layout="a folder")
    assert component_of(kind("read", card=card)).card is card
    with pytest.raises(PluginError, match="without a card"):
        component_of(kind("read"))


def test_dataclass_of_options() -> None:
    assert built(component_of(WithConfig), h=3).config == Options(3)
    assert built(component_of(OfBase), width=4).config == MoreOptions(10, 4)
    assert built(component_of(WithoutArgument), width=4).config == MoreOptions(10, 4)
    with pytest.raises(ConfigError, match="greater than or equal to 1"):
        built(component_of(WithConfig), h=0)


def test_instance_gives_the_defaults() -> None:
    item = component_of(MyLSTMModel(k=9, layers=[4, 2]))
    first, second = built(item), built(item, k=2)
    assert (first.k, first.layers, second.k, second.layers) == (9, [4, 2], 2, [4, 2])
    assert first.layers is not second.layers
    assert built(component_of(WithConfig(Options(4)))).config.h == 4
    assert built(component_of(OfBase(MoreOptions(4, 5))), h=6).config == MoreOptions(6, 5)


def test_instance_is_built_anew_for_each_run() -> None:
    model = MyLSTMModel(k=3)
    item = component_of(model)
    model.fitted = True  # type: ignore[attr-defined]
    assert not hasattr(built(item), "fitted") and built(item) is not model


class Opaque:
    """Keeps nothing under the name of its parameter."""

    def __init__(self, size: int) -> None:
        self.table = [0] * size

    def fit(self, train: Any, context: Any) -> None: ...

    def score(self, sessions: Any, context: Any) -> Any: ...


class Doubles(Opaque):
    """Its attribute is not what it was given."""

    def __init__(self, size: int = 1) -> None:
        self.size = 2 * size


def test_instance_that_cannot_be_built_is_copied() -> None:
    item = component_of(Opaque(3))
    assert item.config is None and built(item).table == [0, 0, 0]
    built(item).table.append(1)
    assert built(item).table == [0, 0, 0]
    assert built(component_of(Doubles(3))).size == 6


def test_factory() -> None:
    def wide(k: int = 20) -> MyLSTMModel:
        """A wide one."""
        return MyLSTMModel(k)

    item = component_of(wide)
    assert (item.name, item.summary, built(item, k=3).k) == ("wide", "A wide one", 3)
    assert built(component_of(partial(MyLSTMModel, k=8))).k == 8


def test_overrides() -> None:
    item = component_of(MyLSTMModel, name="mine", aliases=("m",))
    assert (item.name, item.aliases) == ("mine", ("m",))
    assert component_of(item, summary="s").summary == "s" and component_of(item) is item
    with pytest.raises(ConfigError, match="a model has no field 'nme'; did you mean 'name'"):
        component_of(MyLSTMModel, nme="x")


def test_name_of_the_class_and_of_the_instance() -> None:
    class Named(WithConfig):
        name: ClassVar[str] = "called"

    assert component_of(Named).name == "called"


class NoDefault(WithConfig):
    """Cannot be made of nothing."""

    def __init__(self, size: int) -> None: ...


class NoType(WithConfig):
    """Cannot be made of nothing, and does not say of what."""

    def __init__(self, size) -> None: ...  # type: ignore[no-untyped-def]


@pytest.mark.parametrize(
    ("thing", "why"),
    [
        (kind("fit"), "Some is no component: a model needs score, a parser needs match"),
        (kind("score"), "Some is no component: a model needs fit"),
        (kind("other"), "Some is no component: a model has fit and score, a parser"),
        (kind("fit score evaluate"), "could be a model or an evaluator: say which, such as kind='model'"),
        (NoDefault, "NoDefault: parameter size has no default; give it one, or give an instance"),
        (NoType, "NoType: parameter size has neither type nor default"),
        ("deeplog", "'deeplog' is the name of a component"),
        (kind("fit score", traits=ModelTraits(min_events=0)), "traits.min_events=0: expected 1 or more"),
        (kind("fit score", traits=logbench.WindowerTraits()), r"traits must be ModelTraits\(…\)"),
        (3, "int is no component"),
    ],
)
def test_one_line_says_what_is_missing(thing: Any, why: str) -> None:
    with pytest.raises(PluginError, match=why) as caught:
        component_of(thing)
    assert "\n" not in str(caught.value)


def test_kind_where_there_are_several() -> None:
    both = kind("fit score evaluate")
    assert isinstance(component_of(both, kind="evaluator"), logbench.EvaluatorComponent)
    with pytest.raises(PluginError, match="Some is not a parser: it lacks match"):
        component_of(both, kind="parser")


class Scaled:
    """Has an attribute that is no option."""

    factor = 1.0

    def __init__(self, k: int = 5) -> None:
        self.k, self.shift = k, 0

    def fit(self, train: Any, context: Any) -> None:
        self.mean = 3.0

    def score(self, sessions: Any, context: Any) -> Any: ...


@pytest.mark.parametrize("name", ["factor", "shift"])
def test_what_was_set_on_an_instance_is_kept(name: str) -> None:
    """Also where it is no option: a model that is built anew without it would be another one."""
    thing = Scaled(7)
    assert component_of(thing).config().k == 7
    setattr(thing, name, 2)
    assert getattr(built(component_of(thing)), name) == 2 and built(component_of(thing)).k == 7


def test_what_fit_learnt_is_no_option() -> None:
    thing = Scaled(7)
    thing.fit(None, None)
    assert not hasattr(built(component_of(thing), k=8), "mean")
