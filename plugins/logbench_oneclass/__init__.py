"""Deep models that bring normal units to one point, and score a unit by its distance, on `logbench.torch`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from logbench import ModelComponent, hookimpl
from logbench.torch import reconstruction_traits

from .options import LogTadConfig as LogTadConfig

if TYPE_CHECKING:
    from .logtad import LogTad


def _build(config: LogTadConfig) -> LogTad:
    from .logtad import LogTad

    return LogTad(config)


@hookimpl
def logbench_models() -> Iterable[ModelComponent[LogTad]]:
    yield ModelComponent(
        "logtad",
        _build,
        LogTadConfig,
        "an LSTM brings normal units to one point, by what their events say (Han and Yuan, CIKM 2021)",
        reconstruction_traits(frozenset({"vectors"}), keys_only=False),
        requires=("torch",),
        card=Path(__file__).with_name("cards") / "logtad.toml",
    )
