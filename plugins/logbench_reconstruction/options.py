"""The options of the models here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from logbench import option
from logbench.torch import KeysConfig, ReconstructionConfig


@dataclass(frozen=True)
class AutoencoderConfig(ReconstructionConfig, KeysConfig):
    """Options of `autoencoder`; the sizes of rows=sequence are deep-loglizer's."""

    max_keys: int = option(
        2_000, "known keys that a network tells apart; beyond, the rarest of training share one", ge=2, tune=False
    )
    input: Literal["counts", "sequence"] = option(
        "counts", "what is given back: counts of keys, or what an LSTM read"
    )
    hidden: int = option(64, "units of the outer layers of counts; units of each direction of the LSTM", ge=1)
    narrow: int = option(8, "units of the narrowest layer", ge=1)
    length: int = option(100, "events of a unit that the LSTM sees, the first ones", ge=1, le=20_000)
    embedding: int = option(32, "columns of a key's vector, for input=sequence", ge=1)
