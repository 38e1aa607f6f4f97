"""Which models a command runs."""

from __future__ import annotations

from typing import Any

import pytest

from logbench import ConfigError, ModelComponent, testing
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
