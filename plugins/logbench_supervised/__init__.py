"""Deep models that learn from labels, on `logbench.torch`: LogRobust, NeuralLog, a CNN, a network of counts."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logbench import ModelComponent, ModelTraits, hookimpl
from logbench.torch import classifier_traits

from .options import CnnConfig as CnnConfig
from .options import LogRobustConfig as LogRobustConfig
from .options import MlpConfig as MlpConfig
from .options import NeuralLogConfig as NeuralLogConfig
from .options import NeuralLogSmallConfig as NeuralLogSmallConfig
from .options import PleLogConfig as PleLogConfig

if TYPE_CHECKING:
    from logbench.torch import Classifier

CARDS = Path(__file__).with_name("cards")
KEYS = classifier_traits()
VECTORS = classifier_traits(frozenset({"vectors"}), keys_only=False)
MESSAGES = classifier_traits(frozenset({"text_vectors"}), keys_only=False)


def _build(module: str, name: str, config: Any) -> Classifier[Any]:
    """Build a model; its module imports torch."""
    model: Classifier[Any] = getattr(importlib.import_module(f".{module}", __name__), name)(config)
    return model


def _offer(name: str, config: type, summary: str, traits: ModelTraits) -> ModelComponent[Classifier[Any]]:
    """Offer a model; its class is named as its options, without `Config`, its module as the model."""
    build = partial(_build, name.removesuffix("-small"), config.__name__.removesuffix("Config"))
    return ModelComponent(name, build, config, summary, traits, requires=("torch",), card=CARDS / f"{name}.toml")


@hookimpl
def logbench_models() -> Iterable[ModelComponent[Classifier[Any]]]:
    yield _offer(
        "cnn", CnnConfig, "convolutions over key sequences learn from labels (Lu et al., DASC 2018)", KEYS
    )
    yield _offer(
        "logrobust",
        LogRobustConfig,
        "an LSTM with attention over what events say learns from labels (Zhang et al., ESEC/FSE 2019)",
        VECTORS,
    )
    yield _offer(
        "mlp",
        MlpConfig,
        "one hidden layer over counts of keys learns from labels (LightAD: Yu et al., ICSE 2024)",
        KEYS,
    )
    yield _offer(
        "neurallog",
        NeuralLogConfig,
        "a transformer over what messages say learns from labels, without a parser (Le and Zhang, ASE 2021)",
        replace(MESSAGES, heavy=True),
    )
    yield _offer(
        "neurallog-small",
        NeuralLogSmallConfig,
        "neurallog with a sixteenth of the inner units, for a laptop (Le and Zhang, ASE 2021)",
        MESSAGES,
    )
    yield _offer(
        "plelog",
        PleLogConfig,
        "a GRU learns from known normal units, and from guesses by clusters (Yang et al., ICSE 2021)",
        replace(VECTORS, unlabelled=True),
    )
