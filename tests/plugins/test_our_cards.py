"""Cards of our models: tests that they name exist, networks are as large as they say, ablations are settings."""

from __future__ import annotations

import ast
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from with_torch import TORCH

from logbench.api.model_card import ModelCard
from logbench.components.configured import configured
from logbench.components.entry import installed
from logbench.components.model_cards import card_of, check_ablation
from logbench.components.registry import Registry

ROOT = Path(__file__).parents[2]
REGISTRY = Registry([replace(one) for one in installed() if one.distribution == "logbench-harness"])
CARDS: dict[str, ModelCard] = {
    name: card for name, entry in REGISTRY.components["model"].items() if (card := card_of(entry.item)) is not None
}


def test_every_model_of_ours_has_a_card() -> None:
    assert CARDS.keys() == REGISTRY.components["model"].keys()


@cache
def functions_in(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("name", CARDS)
def test_what_a_card_names_is_there(name: str) -> None:
    card = CARDS[name]
    for level, tests in card.faithful.items():
        assert tests, f"{name}: no test shows {level}"
        for test in tests:
            file, _, function = test.partition("::")
            assert function in functions_in(file), f"{name}: {test} does not exist"
    for ablation in card.ablations.values():
        check_ablation(ablation, REGISTRY)


NETWORKS = [name for name, entry in REGISTRY.components["model"].items() if "torch" in entry.item.requires]
# What a test of seconds can show; the others need the reference's data.
SHOWN = {"structure", "forward", "gradient", "overfit", "invariances", "ablation"}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_shown_to_be_what_its_paper_describes(name: str) -> None:
    assert not SHOWN - CARDS[name].faithful.keys()
    assert CARDS[name].ablations


@pytest.mark.skipif(not TORCH, reason="torch is not installed")
@pytest.mark.parametrize("name", [name for name, card in CARDS.items() if card.parameters])
def test_networks_have_the_parameters_that_their_card_counts(name: str) -> None:
    for counted in CARDS[name].parameters:
        model: Any = configured(REGISTRY.components["model"][name], counted.settings).build()
        model.width = counted.width
        found = sum(one.numel() for one in model.build(counted.keys).parameters())
        assert found == counted.count, f"{counted}: found {found}"
