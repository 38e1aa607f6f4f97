"""Further models that guess the next key, on `logbench.torch`: LogAnomaly."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from logbench import ModelComponent, hookimpl
from logbench.torch import next_key_traits

from .options import LogAnomalyConfig as LogAnomalyConfig

if TYPE_CHECKING:
    from .loganomaly import LogAnomaly


def _build(config: LogAnomalyConfig) -> LogAnomaly:
    from .loganomaly import LogAnomaly

    return LogAnomaly(config)


@hookimpl
def logbench_models() -> Iterable[ModelComponent[LogAnomaly]]:
    yield ModelComponent(
        "loganomaly",
        _build,
        config=LogAnomalyConfig,
        summary="LSTMs over template vectors and over counts guess the next key (Meng et al., IJCAI 2019)",
        traits=next_key_traits(frozenset({"templates"})),
        requires=("torch",),
    )
