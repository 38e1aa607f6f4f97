"""The options of `deeplog`, `deeplog-online`, `deeplog-values` and `deeplog-full`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from logbench import option
from logbench.torch import NextKeyConfig, TrainingConfig

Interval = Literal["both", "gaussian", "quantile"]


@dataclass(frozen=True)
class DeepLogConfig(NextKeyConfig):
    """Options of `deeplog`: those of its network, beside those of every next-key model."""

    variant: Literal["paper", "logdeep"] = option(
        "paper", "logdeep: its network, which reads a key's number (scalar)"
    )
    layers: int = option(2, "LSTM layers", ge=1, le=1000)
    hidden: int = option(64, "units of each layer", ge=1)
    input: Literal["one-hot", "embedding", "scalar"] = option("one-hot", "how a key enters the paper's network")
    embedding: int = option(64, "width of the embedding, for input=embedding", ge=1)


@dataclass(frozen=True)
class OnlineConfig(DeepLogConfig):
    """Options of `deeplog-online`: those of `deeplog`, and how a false alarm trains."""

    online_steps: int = option(50, "most optimiser steps on the windows of a false alarm", ge=1)
    online_lr: float = option(1e-2, "learning rate of these steps (of Adam)", gt=0, le=1)


@dataclass(frozen=True)
class _LimitConfig:
    """Which numbers are values, and how far one may be from what was expected."""

    since: Literal["entry", "key"] = option(
        "entry",
        "time is a value, too: that since the entry before (as in the paper), or since that of the same key",
    )
    nominal: float = option(
        0.9, "whole numbers of which a larger share is distinct are ids or ports, not values", gt=0, le=1
    )  # fmt: skip
    interval: Interval = option(
        "both", "what errors on held-out entries make the limit: a Gaussian, their quantile, or the wider of both"
    )
    confidence: float = option(0.99999, "share of normal entries within the limit", gt=0, le=0.999999)
    max_models: int = option(
        2_000, "keys whose values get a model; of more, those with most entries", ge=1, tune=False
    )
    two_sided: bool = option(False, "an entry that is foreseen too well alarms, too")


@dataclass(frozen=True)
class ValuesConfig(TrainingConfig, _LimitConfig):
    """Options of `deeplog-values`: its limits and network, beside those of every deep model.

    Sessions rarely repeat a key so often that the paper's 10 earlier entries could be asked for.
    """

    h: int = option(
        3, "earlier entries of a key in its session that foretell the next one's values", ge=1, le=1000
    )
    whole: bool = option(False, "judge only entries with h earlier ones; else those with one are judged, too")
    layers: int = option(2, "LSTM layers", ge=1, le=1000)
    hidden: int = option(64, "units of each layer", ge=1)
    batch: int = option(64, "entries of each key in a training step", ge=1)
    lr: float = option(5e-3, "learning rate (of Adam)", gt=0, le=1)
    steps: int = option(200, "optimiser steps, for stop=steps", ge=1)


@dataclass(frozen=True)
class FullConfig(DeepLogConfig, _LimitConfig):
    """Options of `deeplog-full`: those of `deeplog`, and `value_…` as `deeplog-values` has them without it."""

    value_h: int = option(
        3, "earlier entries of a key in its session that foretell the next one's values", ge=1, le=1000
    )
    value_whole: bool = option(False, "judge values only of entries with value_h earlier ones")
    value_layers: int = option(2, "LSTM layers of the model of values", ge=1, le=1000)
    value_hidden: int = option(64, "units of each of these", ge=1)
    value_batch: int = option(64, "entries of each key in its training step", ge=1)
    value_lr: float = option(5e-3, "its learning rate", gt=0, le=1)
    value_steps: int = option(200, "its optimiser steps", ge=1)
