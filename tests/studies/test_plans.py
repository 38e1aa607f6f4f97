"""Which models a command runs."""

from __future__ import annotations

from typing import Any

import pytest

from logbench import ConfigError, ModelComponent, ModelTraits, testing
from logbench.cli.leaderboard import chosen
from logbench.studies.plans import choose_models


class Lengths:
    def fit(self, train: Any, context: Any) -> None: ...

    def score(self, sessions: Any, context: Any) -> Any:
        return sessions.lengths.astype(float)


def test_excluded_are_models_by_name_or_by_what_they_require() -> None:
    found = testing.registry(
        models=[
            ModelComponent("far", Lengths, requires=("far-lib>=2", "other")),
            ModelComponent("near", Lengths),
            ModelComponent("also-far", Lengths, requires=("other",)),
        ],
        plugins=False,
    )
    assert choose_models(found, (), ("far-lib",)) == ("near", "also-far")
    assert choose_models(found, (), ("other",)) == ("near",)
    assert choose_models(found, ("far", "near"), ("near",)) == ("far",)
    with pytest.raises(ConfigError, match="far-li"):
        choose_models(found, (), ("far-li",))


def test_an_online_model_is_left_out_where_the_one_that_it_is_in_a_batch_runs() -> None:
    online, lone = ModelTraits(online_of="plain"), ModelTraits(online_of="absent")
    parts = [("plain", ModelTraits()), ("plain-online", online), ("lone", lone)]
    found = testing.registry(models=[ModelComponent(n, Lengths, traits=t) for n, t in parts], plugins=False)
    assert choose_models(found, (), ()) == choose_models(found, (), (), heavy=True) == ("plain", "lone")
    assert choose_models(found, ("plain-online",), ()) == ("plain-online",)


def test_heavy_models_run_where_they_are_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    heavy = ModelTraits(heavy=True)
    found = testing.registry(
        models=[
            ModelComponent("slow", Lengths, traits=heavy, requires=("far-lib",)),
            ModelComponent("slower", Lengths, traits=heavy),
            ModelComponent("quick", Lengths),
        ],
        plugins=False,
    )
    assert chosen(found, [], ["far-lib"], heavy=False) == ("quick",)
    said = capsys.readouterr().err
    assert said == "without slower, too slow for all models at once: --heavy or --models runs them\n"
    assert chosen(found, [], [], heavy=True) == choose_models(found, (), (), True) == ("slow", "slower", "quick")
    assert chosen(found, ["slow+quick,slower"], [], heavy=False) == ("slow+quick", "slower")
    assert found.get("model", "slow+quick").item.traits.heavy
    assert not capsys.readouterr().err
    assert choose_models(found, (), ()) == ("quick",)  # what `logbench.leaderboard` asks
