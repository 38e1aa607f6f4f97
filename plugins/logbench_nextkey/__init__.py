"""Further models that guess the next key: LogAnomaly, deep-loglizer's networks, causal transformers."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logbench import ModelComponent, ModelTraits, hookimpl
from logbench.torch import next_key_traits, reconstruction_traits

from .options import LogAnomalyConfig as LogAnomalyConfig
from .options import LogGptConfig as LogGptConfig
from .options import LogGptSmallConfig as LogGptSmallConfig
from .options import LstmNextConfig as LstmNextConfig
from .options import TransformerNextConfig as TransformerNextConfig

if TYPE_CHECKING:
    from logbench.torch import NextKeyModel, Reconstruction

    Model = NextKeyModel[Any] | Reconstruction[Any]

CARDS = Path(__file__).with_name("cards")
WHOLE = replace(reconstruction_traits(), fixed_threshold=lambda config: float(config.g))


def _build(module: str, name: str, config: Any) -> Model:
    """Build a model; its module imports torch."""
    model: Model = getattr(importlib.import_module(f".{module}", __name__), name)(config)
    return model


def _offer(name: str, config: type, summary: str, traits: ModelTraits) -> ModelComponent[Model]:
    """Offer a model; its class is named as its options, without `Config`, its module as the model."""
    module = name.removesuffix("-small").replace("-", "_")
    build = partial(_build, module, config.__name__.removesuffix("Config"))
    return ModelComponent(name, build, config, summary, traits, requires=("torch",), card=CARDS / f"{name}.toml")


@hookimpl
def logbench_models() -> Iterable[ModelComponent[Model]]:
    yield _offer(
        "loganomaly",
        LogAnomalyConfig,
        "LSTMs over template vectors and over counts guess the next key (Meng et al., IJCAI 2019)",
        next_key_traits(wants=frozenset({"vectors"})),
    )
    yield _offer(
        "lstm-next",
        LstmNextConfig,
        "an LSTM in both directions guesses the next key (deep-loglizer: Chen et al., 2021)",
        next_key_traits(),
    )
    yield _offer(
        "transformer-next",
        TransformerNextConfig,
        "a transformer guesses the next key: causal with places, or deep-loglizer's bag (Chen et al., 2021)",
        next_key_traits(),
    )
    yield _offer(
        "loggpt",
        LogGptConfig,
        "a causal transformer guesses each key from all before it (Han et al., IEEE BigData 2023)",
        replace(WHOLE, heavy=True),
    )
    yield _offer(
        "loggpt-small",
        LogGptSmallConfig,
        "loggpt with 2 of 6 layers, for a laptop (Han et al., IEEE BigData 2023)",
        WHOLE,
    )
