"""Deep models that give back what they are given, on `logbench.torch`: an autoencoder of counts or sequences."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from logbench import ModelComponent, hookimpl
from logbench.torch import reconstruction_traits

from .options import AutoencoderConfig as AutoencoderConfig

if TYPE_CHECKING:
    from .autoencoder import Autoencoder


def _build(config: AutoencoderConfig) -> Autoencoder:
    from .autoencoder import Autoencoder

    return Autoencoder(config)


@hookimpl
def logbench_models() -> Iterable[ModelComponent[Autoencoder]]:
    yield ModelComponent(
        "autoencoder",
        _build,
        AutoencoderConfig,
        "a network gives back counts of keys, or what an LSTM read (deep-loglizer: Chen et al., 2021)",
        reconstruction_traits(),
        requires=("torch",),
        card=Path(__file__).with_name("cards") / "autoencoder.toml",
    )
