"""The options of the models here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from logbench import option
from logbench.torch import ClassifierConfig, KeysConfig, SequenceConfig


@dataclass(frozen=True)
class CnnConfig(SequenceConfig, KeysConfig):
    """Options of `cnn`; the heights are the paper's, the other sizes deep-loglizer's."""

    heights: tuple[int, ...] = option((3, 4, 5), "events that each kind of filter sees")
    filters: int = option(128, "filters of each height", ge=1)
    embedding: int = option(32, "columns of a key's vector", ge=1)
    dropout: float = option(0.5, "share of values dropped in training", ge=0, le=1)
    lr: float = option(3e-3, "highest learning rate (of AdamW)", gt=0, le=1)
    passes: int = option(40, "passes over the training rows, for stop=passes; at most so many otherwise", ge=1)


@dataclass(frozen=True)
class LogRobustConfig(SequenceConfig):
    """Options of `logrobust`; sizes are those of NeuralLog's LogRobust, the closest one to the paper."""

    variant: Literal["attention", "logdeep"] = option(
        "attention", "both directions and attention, or logdeep's: one direction, whose last step decides"
    )
    attend: Literal["learnt", "mean"] = option(
        "learnt", "how steps are summed, for variant=attention: by learnt weights, or all alike (an ablation)"
    )
    length: int = option(
        75, "events of a unit that the network sees; the others of a longer one it does not", ge=1, le=20_000
    )
    hidden: int = option(128, "units of each direction of a layer", ge=1)
    layers: int = option(1, "LSTM layers", ge=1, le=1000)
    dropout: float = option(0.5, "share of values dropped in training", ge=0, le=1)


@dataclass(frozen=True)
class MlpConfig(ClassifierConfig, KeysConfig):
    """Options of `mlp`; its size is LightAD's."""

    max_keys: int = option(
        2_000, "known keys that a network tells apart; beyond, the rarest of training share one", ge=2, tune=False
    )
    hidden: int = option(25, "units of the one hidden layer", ge=1)
    passes: int = option(100, "passes over the training rows, for stop=passes; at most so many otherwise", ge=1)


@dataclass(frozen=True)
class NeuralLogConfig(SequenceConfig):
    """Options of `neurallog`; sizes are those of the published code, where vectors have 768 columns."""

    length: int = option(
        75, "events of a unit that the network sees; the others of a longer one it does not", ge=1, le=20_000
    )
    keep: Literal["first", "last"] = option("last", "which events of a longer unit the network sees")
    heads: int = option(12, "attention heads", ge=1)
    head_width: int | None = option(
        None, "columns of each head; none: the vector's, shared out (the published code: all 768 for each)", ge=1
    )
    feedforward: int = option(2048, "units of the block's inner network", ge=1)
    dense: int = option(32, "units of the layer before the output", ge=1)
    attend: Literal["learnt", "mean"] = option(
        "learnt", "how events are attended to; mean: all alike (an ablation)"
    )
    places: bool = option(True, "an event's place is known; false: events are a bag (an ablation)")
    dropout: float = option(0.1, "share of values dropped in training", ge=0, le=1)
    lr: float = option(3e-4, "highest learning rate (of AdamW)", gt=0, le=1)
    balanced: bool = option(True, "the loss counts both classes alike, as the published classes are of one size")
    patience: int = option(5, "passes without a lower validation loss, for stop=validation", ge=1)


@dataclass(frozen=True)
class NeuralLogSmallConfig(NeuralLogConfig):
    """Options of `neurallog-small`: a network that trains in a minute."""

    heads: int = option(4, "attention heads", ge=1)
    head_width: int | None = option(16, "columns of each head; none: the vector's, shared out", ge=1)
    feedforward: int = option(128, "units of the block's inner network", ge=1)
    lr: float = option(1e-3, "highest learning rate (of AdamW)", gt=0, le=1)
    passes: int = option(10, "passes over the training rows, for stop=passes; at most so many otherwise", ge=1)


@dataclass(frozen=True)
class PleLogConfig(SequenceConfig):
    """Options of `plelog`; all but `max_train` are the published code's."""

    length: int = option(
        500, "events of a unit that the network sees; the others of a longer one it does not", ge=1, le=20_000
    )
    known: Literal["normal", "all"] = option(
        "normal", "labels that it takes of those it may see: of normal units, as published, or all"
    )
    components: int = option(50, "independent components of a unit's vector, for the clusters", ge=1)
    max_train: int = option(
        20_000,
        "training units that are clustered; of more, some are drawn, and others without a label do not train",
        ge=2,
        tune=False,
    )
    cluster: int = option(100, "units of the smallest cluster", ge=2)
    hidden: int = option(100, "units of each direction of a layer", ge=1)
    layers: int = option(2, "GRU layers", ge=1, le=1000)
    attend: Literal["learnt", "mean"] = option("learnt", "how steps are summed; mean: all alike (an ablation)")
    batch: int = option(100, "rows (windows, or units) in a training step", ge=1)
    lr: float = option(2e-3, "learning rate (of Adam)", gt=0, le=1)
    clip: float | None = option(1.0, "largest norm of the gradient; none: any", gt=0)
    passes: int = option(5, "passes over the training rows, for stop=passes; at most so many otherwise", ge=1)
