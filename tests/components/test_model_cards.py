"""Cards of models: what a file may say, and ablations as settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from broken import GOOD, registry

from logbench import ConfigError, ModelCard, ModelComponent
from logbench.api.plan import Plan
from logbench.components.model_cards import ablated, card_of, check_ablation, read_card
from logbench.components.registry import Registry
from logbench.testing import check

WHOLE = """
source = "A et al., section 3"
seen_public_text = true
[faithful]
forward = ["tests/test_a.py::test_forward"]
[[parameters]]
count = 12
keys = 3
settings = { hidden = 4 }
[[claims]]
metrics = { f1 = 1 }
on = "HDFS"
[ablations]
"attention → mean" = { mine = { attend = "mean" }, protocol = { alpha = 0.1 } }
"templates → none" = { parser = "none" }
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "card.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_card_is_what_its_file_says(tmp_path: Path) -> None:
    item = ModelComponent("mine", object, card=written(tmp_path, WHOLE))
    card = card_of(item)
    assert card == read_card(tmp_path / "card.toml") and card_of(ModelComponent("mine", object)) is None
    assert card and card.seen_public_text and card.faithful["forward"] == ("tests/test_a.py::test_forward",)
    assert (card.parameters[0].count, card.parameters[0].settings) == (12, {"hidden": 4})
    assert card.claims[0].metrics == {"f1": 1.0} and card.reproduced == card.ours == ()
    assert read_card(written(tmp_path, 'source = "A"')) == ModelCard(source="A")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "source: field required"),
        ('sourc = "A"', "sourc: no such key; did you mean 'source'?"),
        ('source = "A"\ndiffers = "none"', "differs: "),
        ('source = "A"\nfaithful = { forwards = [] }', "faithful.forwards"),
        ('source = "A"\nclaims = [{ metrics = { f1 = 1 }, on = "", at = 1 }]', "claims.0.at: "),
        ('source = "A"\nparameters = [{ count = 1.5, keys = 2 }]', "parameters.0.count: "),
        ("source = A", "not TOML"),
    ],
)
def test_what_is_no_card_is_one_line_that_names_the_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_card(written(tmp_path, text))
    assert str(error.value).startswith(f"{tmp_path / 'card.toml'}: ") and said in str(error.value)
    assert "\n" not in str(error.value)


def test_an_ablation_changes_a_plan_and_nothing_else(tmp_path: Path) -> None:
    card = read_card(written(tmp_path, WHOLE))
    plan = Plan(model="mine", dataset="d", settings={"mine": {"h": 3, "attend": "yes"}}, seed=4)
    attention, templates = (ablated(plan, one) for one in card.ablations.values())
    assert attention.settings == {"mine": {"h": 3, "attend": "mean"}, "protocol": {"alpha": 0.1}}
    assert (attention.seed, attention.parser, attention.dataset) == (4, None, "d")
    assert (templates.parser, templates.settings) == ("none", plan.settings)
    assert plan.settings == {"mine": {"h": 3, "attend": "yes"}}


@pytest.mark.parametrize(
    ("ablation", "said"),
    [
        ({"protocol": {"alph": 1}}, "protocol.alph: no such option; did you mean 'alpha'?"),
        ({"protocol": {"alpha": 7}}, "protocol.alpha=7"),
        ({"nowhere": {"a": 1}}, "nowhere: no component with options"),
        ({"parser": "drainn"}, "no parser is called 'drainn'; did you mean 'drain'?"),
        ({"dataset": "hdfs"}, "dataset = 'hdfs': no such choice"),
    ],
)
def test_an_ablation_that_cannot_be_is_one_line(ablation: dict[str, dict[str, float] | str], said: str) -> None:
    with pytest.raises(ConfigError) as error:
        check_ablation(ablation, Registry())
    assert said in str(error.value)
    check_ablation({"parser": "drain", "protocol": {"alpha": 0.1}, "drain": {"depth": 5}}, Registry())


def test_a_card_is_a_path_and_its_ablations_are_checked_with_the_model(tmp_path: Path) -> None:
    path = written(tmp_path, WHOLE)
    offered = registry("model", GOOD["model"], card=path)
    outcomes = {one.rule: one for one in check("model", "broken", registry=offered)}
    assert outcomes["card"].status == "violation" and "mine" in outcomes["card"].actual
    with pytest.raises(ConfigError, match="whose card is no path, but str"):
        registry("model", object, card=str(path))
