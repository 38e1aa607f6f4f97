"""The options of the models here."""

from __future__ import annotations

from dataclasses import dataclass

from logbench import option
from logbench.torch import ReconstructionConfig


@dataclass(frozen=True)
class LogTadConfig(ReconstructionConfig):
    """Options of `logtad`; the sizes and the least of a centre are the published code's."""

    length: int = option(100, "events of a unit that the network sees, the first ones", ge=1, le=20_000)
    hidden: int = option(128, "units of each layer of the LSTM", ge=1)
    layers: int = option(2, "layers of the LSTM", ge=1, le=1000)
    dropout: float = option(0.3, "share of values dropped between layers in training", ge=0, le=1)
    bias: bool = option(
        True, "the LSTM has biases, with which it can bring any unit to the centre; false: it cannot"
    )
    least: float = option(0.1, "least distance from 0 of each column of the centre", ge=0)
    passes: int = option(5, "passes over the training rows, for stop=passes; at most so many otherwise", ge=1)
