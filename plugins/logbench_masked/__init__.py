"""Deep models that guess hidden keys from both sides, on `logbench.torch`: LogBERT."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from logbench import ModelComponent, hookimpl
from logbench.torch import reconstruction_traits

from .options import LogBertConfig as LogBertConfig
from .options import LogBertSmallConfig as LogBertSmallConfig

if TYPE_CHECKING:
    from .logbert import LogBert, LogBertSmall

CARDS = Path(__file__).with_name("cards")
# The published code drops shorter units.
SHORTEST = 10
TRAITS = replace(reconstruction_traits(), min_events=lambda config: SHORTEST if config.variant == "logbert" else 1)


def _logbert(config: LogBertConfig) -> LogBert:
    from .logbert import LogBert

    return LogBert(config)


def _logbert_small(config: LogBertSmallConfig) -> LogBertSmall:
    from .logbert import LogBertSmall

    return LogBertSmall(config)


@hookimpl
def logbench_models() -> Iterable[ModelComponent[LogBert]]:
    yield ModelComponent(
        "logbert",
        _logbert,
        LogBertConfig,
        "a transformer guesses keys hidden from it (Guo et al., IJCNN 2021)",
        replace(TRAITS, heavy=True),
        requires=("torch",),
        card=CARDS / "logbert.toml",
    )
    yield ModelComponent(
        "logbert-small",
        _logbert_small,
        LogBertSmallConfig,
        "logbert with a quarter of the columns and half of the layers, for a laptop (Guo et al., IJCNN 2021)",
        TRAITS,
        requires=("torch",),
        card=CARDS / "logbert-small.toml",
    )
