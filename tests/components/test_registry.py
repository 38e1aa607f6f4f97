"""Plugins that behave and plugins that do not: one clear line each, and no harm to the rest."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import click
import pluggy
import pytest

from logbench import (
    Card,
    Component,
    ConfigError,
    DatasetComponent,
    ModelComponent,
    ParserComponent,
    Preset,
    hookimpl,
)
from logbench.cli import COMMANDS
from logbench.components.entry import Plugin, installed
from logbench.components.registry import Registry

CARD = Card(title="t", label="l", parser="p", windower="w", protocol="x", layout="a folder")


@dataclass(frozen=True)
class NoDefault:
    """Options that nobody could leave out."""

    size: int


class Thing:
    """Stands for a model."""


def plugin(name: str, distribution: str = "", load: Callable[[], Any] | None = None, **hooks: Any) -> Plugin:
    """A plugin whose module holds `hooks` (marked by the caller)."""
    module = ModuleType(name)
    vars(module).update(hooks)
    return Plugin(name, distribution or f"dist-{name}", "1.0", load or (lambda: module))


def models(*names: str) -> Any:
    return hookimpl(lambda: [ModelComponent(name, Thing) for name in names], specname="logbench_models")


def good() -> Plugin:
    return plugin("good", logbench_models=models("fine"))


def only_error(broken: Plugin, reserved: Sequence[str] = ()) -> str:
    """Its error beside a good plugin, which must not suffer."""
    registry = Registry(plugins=[broken, good()], reserved=reserved)
    assert [p.name for p in registry.broken] == [broken.name]
    assert registry.get("model", "fine").item.build is Thing
    assert set(registry.components["model"]) == {"fine"}
    assert not registry.manager.has_plugin(f"{broken.distribution}:{broken.name}")
    seen: list[str] = []
    registry.notify("run_started", plan=seen)
    assert broken.error and "\n" not in broken.error
    return broken.error


def raises(error: BaseException) -> Any:
    def function() -> Any:
        raise error

    return function


def late() -> Any:
    yield ModelComponent("early", Thing)
    raise RuntimeError("on the way")


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (plugin("b", load=raises(ImportError("no module named 'gone'"))), "ImportError: no module named 'gone'"),
        (plugin("b", load=raises(SystemExit("a script\nnot a module"))), "SystemExit: a script not a module"),
        (plugin("b", load=raises(AssertionError())), "AssertionError"),
        (plugin("b"), "b implements no hook"),
        (
            plugin("b", logbench_modles=hookimpl(lambda: [])),
            "no hook logbench_modles; did you mean 'logbench_models'?",
        ),
        (plugin("b", logbench_models=lambda: []), "logbench_models lacks @logbench.hookimpl"),
        (plugin("b", logbench_models=pluggy.HookimplMarker("pytest")(lambda: [])), "lacks @logbench.hookimpl"),
        (plugin("b", logbench_models=hookimpl(lambda wrong: [])), "wrong"),
        (plugin("b", logbench_models=hookimpl(late)), "RuntimeError: on the way"),
        (plugin("b", logbench_models=hookimpl(lambda: None)), "must return an iterable, got NoneType"),
        (plugin("b", logbench_models=hookimpl(lambda: "text")), "must return an iterable, got str"),
        (plugin("b", logbench_models=hookimpl(lambda: [Thing])), "must yield ModelComponent, got type"),
        (
            plugin("b", logbench_presets=hookimpl(lambda: [ModelComponent("x", Thing)])),
            "must yield Preset, got ModelComponent",
        ),
        (plugin("b", logbench_commands=hookimpl(lambda: [42])), "must yield click commands, got int"),
        (plugin("b", logbench_models=models("two words")), "'two words': one word"),
        (plugin("b", logbench_models=models("")), "'': one word"),
        (plugin("b", logbench_models=models("x", "x")), "'x' is offered twice"),
        (plugin("b", logbench_models=hookimpl(lambda: [ModelComponent("x", 1)])), "build is not callable"),  # type: ignore[arg-type]
        (plugin("b", logbench_datasets=hookimpl(lambda: [Component("x", Thing)])), "'x' without a card"),
        (
            plugin("b", logbench_models=hookimpl(lambda: [ModelComponent("x", Thing, config=dict)])),
            "config is no dataclass",
        ),
        (
            plugin("b", logbench_models=hookimpl(lambda: [ModelComponent("x", Thing, config=NoDefault)])),
            "'x' whose option 'size' has no default",
        ),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_a_broken_plugin_is_set_aside_with_one_line(broken: Plugin, said: str) -> None:
    assert said in only_error(broken)


def test_the_same_module_twice_is_one_line() -> None:
    first = good()
    registry = Registry(plugins=[first, Plugin("zz", "dist-zz", "2", first.load)])
    assert [p.name for p in registry.broken] == ["zz"]
    assert registry.get("model", "fine").plugin is first


def test_a_command_of_the_core_cannot_be_replaced() -> None:
    offered = hookimpl(lambda: [click.Command("run")], specname="logbench_commands")
    said = only_error(plugin("b", logbench_commands=offered), COMMANDS)
    assert said == "'run' is already taken by a command of logbench itself"


def test_an_interruption_is_no_broken_plugin() -> None:
    with pytest.raises(KeyboardInterrupt):
        Registry(plugins=[plugin("b", load=raises(KeyboardInterrupt()))])


def test_a_name_taken_names_both_providers() -> None:
    first, second = plugin("one", logbench_models=models("m")), plugin("two", logbench_models=models("other", "m"))
    registry = Registry(plugins=[second, first])
    assert registry.broken == [second]
    assert str(second) == "two (dist-two 1.0)" and second.error == "'m' is already taken by one (dist-one 1.0)"
    assert registry.get("model", "m").plugin is first
    assert "other" not in registry.components["model"], "a plugin is taken whole or not at all"


def test_nobody_takes_a_name_from_the_distribution_itself() -> None:
    own = plugin("zz", "logbench-harness", logbench_models=models("m"))
    registry = Registry(plugins=[plugin("aa", "aa", logbench_models=models("m")), own])
    assert registry.get("model", "m").plugin is own


def test_one_name_may_stand_for_things_of_two_kinds() -> None:
    parsers = hookimpl(lambda: [ParserComponent("same", Thing)])
    registry = Registry(plugins=[plugin("p", logbench_models=models("same"), logbench_parsers=parsers)])
    assert not registry.broken
    assert registry.get("model", "same") is not registry.get("parser", "same")


def test_everything_offered_is_found() -> None:
    preset = Preset(name="pre", summary="s", source="a paper")
    command = click.Command("ladder")
    offers = plugin(
        "p",
        logbench_datasets=hookimpl(lambda: [DatasetComponent("d", Thing, card=CARD)]),
        logbench_presets=hookimpl(lambda: [preset]),
        logbench_commands=hookimpl(lambda: iter([command])),
    )
    registry = Registry(plugins=[offers])
    assert not registry.broken
    assert registry.get("dataset", "d").item.card is CARD
    assert registry.preset("pre") is preset
    assert registry.commands["ladder"].item is command
    assert offers.hooks == ["logbench_commands", "logbench_datasets", "logbench_presets"]


def test_an_unknown_name_says_what_is_near_and_what_was_set_aside() -> None:
    broken = plugin("b", load=raises(ImportError("x")))
    registry = Registry(plugins=[plugin("p", logbench_models=models("deeplog", "other")), broken])
    with pytest.raises(
        ConfigError, match=r"no model is called 'deplog'; did you mean 'deeplog'\?.*b \(dist-b 1\.0\)"
    ):
        registry.get("model", "deplog")
    with pytest.raises(ConfigError, match="there is deeplog, other"):
        registry.get("model", "zzzzzz")
    with pytest.raises(ConfigError, match="no preset is called 'x'"):
        registry.preset("x")


@pytest.mark.parametrize("name", ["good", "dist-good"])
def test_blocked_plugins_are_not_even_imported(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def registry(**options: Any) -> Registry:
        bad = plugin("good", load=raises(AssertionError("was imported")))
        return Registry(plugins=[bad, plugin("p", logbench_models=models("m"))], **options)

    assert len(registry().broken) == 1
    assert registry(block=[name]).broken == []
    monkeypatch.setenv("LOGBENCH_BLOCK", f"nothing, {name}")
    blocked = registry()
    assert blocked.broken == [] and blocked.get("model", "m")
    assert [p.error for p in blocked.plugins] == ["blocked", ""]


def test_a_notification_that_raises_sets_its_plugin_aside_and_the_others_are_told() -> None:
    told: list[str] = []

    def started(plan: str) -> None:
        told.append(f"bad {plan}")
        sys.exit("in the middle")

    bad = plugin(
        "bad",
        logbench_run_started=hookimpl(started),
        logbench_run_finished=hookimpl(lambda record: told.append("bad end")),
        logbench_models=models("kept"),
    )
    calm = plugin(
        "calm",
        logbench_run_started=hookimpl(lambda plan: told.append(f"calm {plan}")),
        logbench_run_finished=hookimpl(lambda: told.append("calm end")),
    )
    registry = Registry(plugins=[bad, calm])
    for _ in range(2):
        registry.notify("run_started", plan="P")
    registry.notify("run_finished", record=None)
    assert sorted(told) == ["bad P", "calm P", "calm P", "calm end"]
    assert registry.broken == [bad] and bad.error == "SystemExit: in the middle"
    assert not registry.manager.has_plugin("dist-bad:bad")


def test_registries_know_nothing_of_each_other() -> None:
    first = Registry(plugins=[good()])
    assert Registry(plugins=[]).components["model"] == {} and "fine" in first.components["model"]


def test_what_is_installed_comes_in_a_fixed_order_our_own_first() -> None:
    found = installed()
    own = [p for p in found if p.distribution == "logbench-harness"]
    assert own and found[: len(own)] == own and own == sorted(own, key=lambda p: p.name)
    registry = Registry(block=[p.distribution for p in found if p not in own])
    assert registry.broken == []
