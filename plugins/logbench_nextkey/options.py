"""The options of the models here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from logbench import option
from logbench.torch import KeysConfig, NextKeyConfig, ReconstructionConfig


@dataclass(frozen=True)
class LogAnomalyConfig(NextKeyConfig):
    """Options of `loganomaly`: those of its network, beside those of every next-key model."""

    variant: Literal["vectors", "logdeep"] = option(
        "vectors",
        "templates enter as vectors and counts step by step, or as in logdeep: numbers, and last counts in turn",
    )
    layers: int = option(2, "LSTM layers of each of the two", ge=1, le=1000)
    hidden: int = option(64, "units of each layer", ge=1)
    counts: bool = option(True, "counts of keys so far guess, too; false: they are all zero (an ablation)")


@dataclass(frozen=True)
class LstmNextConfig(NextKeyConfig):
    """Options of `lstm-next`; sizes, batch and learning rate are deep-loglizer's."""

    embedding: int = option(32, "columns of a key's vector", ge=1)
    hidden: int = option(128, "units of each direction of a layer", ge=1)
    layers: int = option(2, "LSTM layers", ge=1, le=1000)
    attention: bool = option(False, "all steps guess, weighted; else the last one alone")
    batch: int = option(1024, "rows (windows, or units) in a training step", ge=1)
    lr: float = option(1e-2, "learning rate (of Adam)", gt=0, le=1)


@dataclass(frozen=True)
class TransformerNextConfig(NextKeyConfig):
    """Options of `transformer-next`; sizes are deep-loglizer's."""

    variant: Literal["causal", "dlz"] = option("causal", "causal with places, or deep-loglizer's bag of steps")
    places: bool = option(True, "steps know their places, for variant=causal; false: they do not (an ablation)")
    embedding: int = option(32, "columns of a key's vector", ge=1)
    layers: int = option(2, "encoder layers", ge=1, le=1000)
    heads: int = option(2, "attention heads of a layer", ge=1)
    feedforward: int = option(128, "units of a layer's inner network", ge=1)
    dropout: float = option(0.1, "share of values dropped in training", ge=0, le=1)
    batch: int = option(1024, "rows (windows, or units) in a training step", ge=1)
    lr: float = option(1e-2, "learning rate (of Adam)", gt=0, le=1)


@dataclass(frozen=True)
class LogGptConfig(ReconstructionConfig, KeysConfig):
    """Options of `loggpt`; those of its network and its training are the published code's."""

    length: int = option(511, "events of a unit that the network sees, the first ones", ge=1, le=20_000)
    hidden: int = option(60, "columns of a key's vector; the inner layers have four times as many units", ge=1)
    layers: int = option(6, "encoder layers", ge=1, le=1000)
    heads: int = option(6, "attention heads of a layer", ge=1)
    dropout: float = option(0.1, "share of values dropped in training", ge=0, le=1)
    g: int = option(7, "a key is normal where fewer than this many keys are likelier", ge=1, late=True)
    batch: int = option(16, "rows (windows, or units) in a training step", ge=1)
    eval_batch: int | Literal["auto"] = option(64, "rows in a scoring step, or auto: the fastest that fits")
    lr: float = option(1e-4, "learning rate (of AdamW)", gt=0, le=1)
    stop: Literal["steps", "passes", "validation"] = option("validation", "what ends training")
    passes: int = option(100, "passes over the training rows, for stop=passes; at most so many otherwise", ge=1)


@dataclass(frozen=True)
class LogGptSmallConfig(LogGptConfig):
    """Options of `loggpt-small`: a network that trains in a minute.

    It stops where its validation loss is that of the full network after 15 passes: one that guesses better also
    guesses what follows in anomalous units.
    """

    layers: int = option(2, "encoder layers", ge=1, le=1000)
    batch: int = option(32, "rows (windows, or units) in a training step", ge=1)
    lr: float = option(2e-3, "learning rate (of AdamW)", gt=0, le=1)
    passes: int = option(3, "passes over the training rows, for stop=passes; at most so many otherwise", ge=1)
