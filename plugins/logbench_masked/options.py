"""The options of the models here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from logbench import option
from logbench.torch import KeysConfig, ReconstructionConfig


@dataclass(frozen=True)
class LogBertConfig(ReconstructionConfig, KeysConfig):
    """Options of `logbert`; sizes, shares and weights are those published for HDFS."""

    variant: Literal["paper", "logbert"] = option(
        "paper", "the paper's network, or the published code's, with its norm, its GELU and its unused weights"
    )
    length: int = option(512, "events of a unit that the network sees, the first ones", ge=1, le=20_000)
    hidden: int = option(256, "columns of a key's vector; the inner layers have twice as many units", ge=2)
    layers: int = option(4, "encoder layers", ge=1, le=1000)
    heads: int = option(4, "attention heads of a layer", ge=1)
    dropout: float = option(0.1, "share of values dropped in training", ge=0, le=1)
    mask: float = option(0.65, "share of the keys of a unit that are hidden and guessed", gt=0, le=1)
    sphere: float = option(0.1, "weight of the distance from the centre in the loss", ge=0)
    g: int | Literal["auto"] = option(
        "auto",
        "a hidden key counts as found where fewer than this many keys are likelier; auto: by held-out units",
    )
    missed: float = option(0.01, "share of hidden keys of held-out units that g=auto leaves unfound", ge=0, le=1)
    draws: int = option(8, "times that a unit is scored, each time with other keys hidden", ge=1, le=10_000)
    schedule: Literal["none", "noam"] = option("none", "learning rate: lr, or that of the published code")
    warmup: int = option(10_000, "steps to the highest learning rate, for schedule=noam", ge=1)
    batch: int = option(32, "rows (windows, or units) in a training step", ge=1)
    eval_batch: int | Literal["auto"] = option(64, "rows in a scoring step, or auto: the fastest that fits")
    stop: Literal["steps", "passes", "validation"] = option("validation", "what ends training")
    passes: int = option(200, "passes over the training rows, for stop=passes; at most so many otherwise", ge=1)


@dataclass(frozen=True)
class LogBertSmallConfig(LogBertConfig):
    """Options of `logbert-small`: a network that trains in a minute."""

    hidden: int = option(64, "columns of a key's vector; the inner layers have twice as many units", ge=2)
    layers: int = option(2, "encoder layers", ge=1, le=1000)
    lr: float = option(2e-3, "learning rate (of Adam)", gt=0, le=1)
    passes: int = option(15, "passes over the training rows, for stop=passes; at most so many otherwise", ge=1)
    patience: int = option(3, "passes without a lower validation loss, for stop=validation", ge=1)
