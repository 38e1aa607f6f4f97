"""`testing.registry`: components at hand, beside the installed ones or alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

import logbench
from logbench import ConfigError, ModelComponent, ParserComponent, Preset, Published, Table
from logbench.components.registry import KINDS
from logbench.testing import check, registry


class Longest:
    """The length is the score."""

    def fit(self, train: Any, context: Any) -> None:
        """Nothing to learn."""

    def score(self, sessions: Any, context: Any) -> Any:
        return sessions.lengths * 1.0


def test_it_stands_beside_the_installed_plugins_and_runs(tmp_path: Path) -> None:
    found = registry(models=[ModelComponent("longest", Longest)])
    assert found.get("model", "n-gram") and found.get("model", "longest").item.build is Longest
    settings: dict[str, dict[str, Any]] = {"dataset": {"blocks": 400}, "protocol": {"train_units": 100}}
    (record,) = logbench.run("longest", dataset="hdfs-sim", registry=found, out=tmp_path, settings=settings)
    assert record.status == "ok" and record.model == "longest"
    assert not [one for one in check("model", "longest", registry=found) if one.status == "violation"]


def test_without_plugins_there_is_nothing_else() -> None:
    found = registry(
        plugins=False,
        models=[ModelComponent("longest", Longest)],
        presets=[Preset(name="p", summary="s", source="o")],
        tables=[Table(name="t", summary="s", source="o", dataset="d", rows=[Published(model="m", metrics={})])],
        commands=[click.Command("c")],
    )
    assert {kind: [*found.components[kind]] for kind in KINDS if found.components[kind]} == {"model": ["longest"]}
    assert ([*found.presets], [*found.tables], [*found.commands]) == (["p"], ["t"], ["c"])


@pytest.mark.parametrize(
    ("offers", "said"),
    [
        ({"models": [ModelComponent("n-gram", Longest)]}, "'n-gram' is already taken by baselines"),
        ({"models": [ParserComponent("x", Longest)]}, "must yield ModelComponent, got ParserComponent"),
        ({"presets": [42]}, "must yield Preset, got int"),
    ],
)
def test_what_cannot_be_offered_is_an_error_of_one_line(offers: Any, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        registry(**offers)
    assert said in str(error.value) and "\n" not in str(error.value)
