"""Further models that guess the next key: LogAnomaly, deep-loglizer's networks, a causal transformer."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from logbench import ModelComponent, hookimpl
from logbench.torch import next_key_traits

from .options import LogAnomalyConfig as LogAnomalyConfig
from .options import LstmNextConfig as LstmNextConfig
from .options import TransformerNextConfig as TransformerNextConfig

if TYPE_CHECKING:
    from logbench.torch import NextKeyModel


def _build(module: str, name: str, config: Any) -> NextKeyModel[Any]:
    """Build a model; its module imports torch."""
    model: NextKeyModel[Any] = getattr(importlib.import_module(f".{module}", __name__), name)(config)
    return model


@hookimpl
def logbench_models() -> Iterable[ModelComponent[NextKeyModel[Any]]]:
    yield ModelComponent(
        "loganomaly",
        partial(_build, "loganomaly", "LogAnomaly"),
        LogAnomalyConfig,
        "LSTMs over template vectors and over counts guess the next key (Meng et al., IJCAI 2019)",
        next_key_traits(frozenset({"templates"})),
        requires=("torch",),
    )
    yield ModelComponent(
        "lstm-next",
        partial(_build, "lstm_next", "LstmNext"),
        LstmNextConfig,
        "an LSTM in both directions guesses the next key (deep-loglizer: Chen et al., 2021)",
        next_key_traits(),
        requires=("torch",),
    )
    yield ModelComponent(
        "transformer-next",
        partial(_build, "transformer_next", "TransformerNext"),
        TransformerNextConfig,
        "a transformer guesses the next key: causal with places, or deep-loglizer's bag (Chen et al., 2021)",
        next_key_traits(),
        requires=("torch",),
    )
