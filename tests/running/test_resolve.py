"""Resolving: whose word counts, and what an unknown name says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from logbench import (
    Card,
    ConfigError,
    DatasetComponent,
    EvaluatorComponent,
    IncompatibleError,
    ModelComponent,
    ModelTraits,
    ParserComponent,
    Plan,
    Preset,
    WindowerComponent,
    option,
    testing,
)
from logbench.base.options import read_toml
from logbench.components.registry import Registry
from logbench.running.fit_checks import check_fit
from logbench.running.resolve import ResolvedPlan, resolve


@dataclass(frozen=True)
class Options:
    """Of the model."""

    h: int = option(1, "history", ge=1)
    g: int = option(1, "threshold", ge=1)


@dataclass(frozen=True)
class DataOptions:
    """Of the data set."""

    blocks: int = option(10, "how many")


class Built:
    """Keeps what it was built with."""

    def __init__(self, config: Any = None) -> None:
        self.config = config


CARD = Card(title="t", label="l", parser="words", windower="session", protocol="usual", layout="a folder")
NEEDS = ModelTraits(min_events=lambda config: config.h + 1, fixed_threshold=lambda config: config.g)
PRESETS = (
    Preset(
        name="usual", summary="the card's", source="-", protocol={"alpha": 0.1, "short": "miss", "held_out": 0.2}
    ),
    Preset(name="paper", summary="p", source="-", protocol={"alpha": 0.2}, components={"net": {"h": 5, "g": 5}}),
)


def registry() -> Registry:
    return testing.registry(
        plugins=False,
        datasets=[DatasetComponent("log", Built, DataOptions, card=CARD)],
        parsers=[ParserComponent("words", Built), ParserComponent("other", Built)],
        windowers=[WindowerComponent("session", Built)],
        models=[
            ModelComponent("net", Built, Options, traits=NEEDS),
            ModelComponent("rule", Built, traits=ModelTraits(min_events=2)),
            ModelComponent("long", Built, traits=ModelTraits(min_events=30)),
        ],
        evaluators=[EvaluatorComponent("usual", Built, default=True), EvaluatorComponent("cost", Built, Options)],
        presets=PRESETS,
    )


def resolved(model: str = "net", **plan: Any) -> ResolvedPlan:
    return resolve(Plan(model=model, dataset="log", **plan), registry())


def test_the_layers_one_over_the_other(tmp_path: Path) -> None:
    """defaults < card < preset < TOML < --set, for the protocol and for a component."""
    path = tmp_path / "c.toml"
    path.write_text("[protocol]\nalpha = 0.3\n[net]\nh = 7\n")
    steps: list[dict[str, Any]] = [
        {},
        {"preset": "paper"},
        {"preset": "paper", "config": read_toml(path)},
        {
            "preset": "paper",
            "config": read_toml(path),
            "settings": {"protocol": {"alpha": "0.4"}, "net": {"h": "9"}},
        },
    ]
    jobs = [resolved(**step) for step in steps]
    assert [j.protocol.alpha for j in jobs] == [0.1, 0.2, 0.3, 0.4]
    assert [j.model.config.h for j in jobs] == [1, 5, 7, 9]
    assert [j.short_limit for j in jobs] == [2, 6, 8, 10] and {j.protocol.min_events for j in jobs} == {0}
    assert {j.protocol.short for j in jobs} == {"miss"}, "what no one else says is the card's"
    assert {j.protocol.train_units for j in jobs} == {4855}, "or the default"
    assert [j.model.config.g for j in jobs] == [1, 5, 5, 5] == [j.fixed_threshold for j in jobs]
    assert [j.preset for j in jobs] == ["usual", "paper", "paper", "paper"]


def test_the_name_is_stronger_than_the_kind_in_one_layer_and_the_layer_stronger_than_both() -> None:
    both = {"model": {"h": "3", "g": "3"}, "net": {"h": "4"}}
    found = resolved(settings=both).model.config
    assert (found.h, found.g) == (4, 3)
    assert resolved(config=both, settings={"model": {"h": "8"}}).model.config.h == 8


def test_protocol_by_name_replaces_the_cards() -> None:
    found = resolved(protocol="paper")
    assert (found.protocol.alpha, found.protocol.short, found.preset) == (0.2, "flag", "paper")
    assert found.model.config.h == 5


def test_names_not_given_are_the_cards() -> None:
    found = resolved()
    assert (found.parser.name, found.windower.name) == ("words", "session")
    assert resolved(parser="other").parser.name == "other"
    assert [part.name for part in found.evaluators] == ["usual"]
    assert [part.name for part in resolved(evaluators=("cost",)).evaluators] == ["cost"]


def test_split_seed_of_the_plan_is_strongest() -> None:
    settings = {"protocol": {"split_seed": "3"}}
    assert resolved(settings=settings).protocol.split_seed == 3
    assert resolved(settings=settings, split_seed=0).protocol.split_seed == 0


def test_a_model_has_its_own_limit_of_short_units_whatever_its_companions_need() -> None:
    companions = ("net", "rule", "long")
    limits = {name: resolved(name, companions=companions).short_limit for name in companions}
    assert limits == {name: resolved(name).short_limit for name in companions} == {"net": 2, "rule": 2, "long": 30}
    settings = {"net": {"h": "40"}}
    assert resolved("rule", companions=companions, settings=settings).short_limit == 2
    assert resolved("net", companions=companions, settings=settings).short_limit == 41
    assert resolved("rule+net", settings=settings).short_limit == 41, "of a combination the largest"


def test_an_explicit_limit_holds_for_every_model_and_is_what_the_hash_knows() -> None:
    asked = {"settings": {"protocol": {"min_events": "30"}}}
    jobs = [resolved(name, **asked) for name in ("net", "rule", "long")]
    assert {one.short_limit for one in jobs} == {30} and len({one.protocol.digest for one in jobs}) == 1
    assert len({resolved(name).protocol.digest for name in ("net", "rule", "long")}) == 1, "asked is 0 for each"


def test_a_model_that_needs_more_than_is_asked_is_unfit_and_says_what_to_do() -> None:
    asked = {"settings": {"protocol": {"min_events": "29"}}, "companions": ("rule", "long")}
    assert resolved("rule", **asked).short_limit == 29, "a companion that cannot run sets no limit"
    with pytest.raises(
        IncompatibleError, match=r"long needs units of 30 events, but protocol.min_events=29; give at least"
    ):
        check_fit(resolved("long", **asked))


def test_totals_are_options_of_every_data_set() -> None:
    found = resolved(settings={"dataset": {"normal_total": "553366", "blocks": "4"}})
    assert found.totals.normal_total == 553_366 and found.totals.anomaly_total is None
    assert found.dataset.config.blocks == 4
    with pytest.raises(ConfigError, match="greater than 0"):
        resolved(settings={"dataset": {"anomaly_total": "0"}})


def test_parts_are_built_with_their_configuration() -> None:
    found = resolved(settings={"model": {"h": "3"}})
    assert found.model.build().config == Options(h=3) and found.model.as_dict() == {"h": 3, "g": 1}
    assert found.parser.build().config is None and found.parser.as_dict() == {}


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ({"parser": "wrods"}, "no parser is called 'wrods'; did you mean 'words'"),
        ({"windower": "x"}, "no windower is called 'x'; there is session"),
        ({"preset": "papr"}, "no preset is called 'papr'; did you mean 'paper'"),
        ({"protocol": "usul"}, "no preset is called 'usul'; did you mean 'usual'"),
        ({"evaluators": ("cots",)}, "no evaluator is called 'cots'; did you mean 'cost'"),
        ({"companions": ("nett",)}, "no model is called 'nett'; did you mean 'net'"),
        ({"settings": {"nett": {"h": "1"}}}, r"--set nett\.h: 'nett' is no component; did you mean 'net'"),
        ({"settings": {"rule": {"h": "1"}}}, r"--set rule\.h: 'rule' takes no part in this run"),
        ({"settings": {"net": {"k": "1"}}}, r"net\.k: no such option"),
        ({"settings": {"model": {"h": "0"}}}, "greater than or equal to 1"),
        ({"settings": {"protocol": {"shorts": "x"}}}, r"protocol\.shorts: no such option; did you mean 'short'"),
        ({"settings": {"protocol": {"short": "x"}}}, "'flag', 'miss' or 'drop'"),
        ({"settings": {"dataset": {"blokcs": "1"}}}, r"log\.blokcs: no such option; did you mean 'blocks'"),
        ({"settings": {"protocol": {"min_events": "-1"}}}, "min_events"),
        ({"settings": {"parser": {"x": "1"}}}, r"words\.x: no such option"),
        ({"config": {"nett": {"h": 1}}}, r"--config nett\.h: 'nett' is no component"),
    ],
)
def test_unknown_names_are_one_line(plan: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as raised:
        resolved(**plan)
    assert "\n" not in str(raised.value)


def test_a_file_may_hold_tables_for_other_runs() -> None:
    assert resolved(config={"rule": {"anything": 1}, "net": {"h": 3}}).model.config.h == 3
