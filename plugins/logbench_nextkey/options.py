"""The options of the models here."""

from __future__ import annotations

from dataclasses import dataclass

from logbench import option
from logbench.torch import NextKeyConfig


@dataclass(frozen=True)
class LogAnomalyConfig(NextKeyConfig):
    """Options of `loganomaly`: those of its network, beside those of every next-key model."""

    layers: int = option(2, "LSTM layers of each of the two", ge=1)
    hidden: int = option(64, "units of each layer", ge=1)
    width: int = option(300, "columns of a template's vector", ge=1)
