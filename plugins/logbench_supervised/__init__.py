"""Deep models that learn from labels, on `logbench.torch`: a convolution, LogRobust, a small network of counts."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from logbench import ModelComponent, hookimpl
from logbench.torch import classifier_traits

from .options import CnnConfig as CnnConfig
from .options import LogRobustConfig as LogRobustConfig
from .options import MlpConfig as MlpConfig

if TYPE_CHECKING:
    from logbench.torch import Classifier

TEXTS = classifier_traits(frozenset({"templates", "texts"}), keys_only=False)


def _build(module: str, name: str, config: Any) -> Classifier[Any]:
    """Build a model; its module imports torch."""
    model: Classifier[Any] = getattr(importlib.import_module(f".{module}", __name__), name)(config)
    return model


@hookimpl
def logbench_models() -> Iterable[ModelComponent[Classifier[Any]]]:
    yield ModelComponent(
        "cnn",
        partial(_build, "cnn", "Cnn"),
        CnnConfig,
        "convolutions over key sequences learn from labels (Lu et al., DASC 2018)",
        classifier_traits(),
        requires=("torch",),
    )
    yield ModelComponent(
        "logrobust",
        partial(_build, "logrobust", "LogRobust"),
        LogRobustConfig,
        "an LSTM with attention over what events say learns from labels (Zhang et al., ESEC/FSE 2019)",
        TEXTS,
        requires=("torch",),
    )
    yield ModelComponent(
        "mlp",
        partial(_build, "mlp", "Mlp"),
        MlpConfig,
        "one hidden layer over counts of keys learns from labels (LightAD: Yu et al., ICSE 2024)",
        classifier_traits(),
        requires=("torch",),
    )
