"""The options of `deeplog`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from logbench import option
from logbench.torch import NextKeyConfig


@dataclass(frozen=True)
class DeepLogConfig(NextKeyConfig):
    """Options of `deeplog`: those of its network, beside those of every next-key model."""

    layers: int = option(2, "LSTM layers", ge=1)
    hidden: int = option(64, "units of each layer", ge=1)
    input: Literal["one-hot", "embedding", "scalar"] = option("one-hot", "how a key enters the network")
    embedding: int = option(64, "width of the embedding, for input=embedding", ge=1)
