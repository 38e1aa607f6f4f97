"""Options of every deep model (training, scoring, precision), and of one that guesses the next key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..api.traits import ModelTraits, Need
from ..base.options import option

Amp = Literal["auto", "off", "bf16", "fp16"]


@dataclass(frozen=True)
class TrainingConfig:
    """Options of a model that `fit_network` trains; a model's own class adds those of its network.

    A row is what the network takes: a window of keys, or a unit.

    Example:

        @dataclass(frozen=True)
        class MyConfig(TrainingConfig):
            hidden: int = option(64, "units of each layer", ge=1)
    """

    batch: int = option(128, "rows (windows, or units) in a training step", ge=1, tune=[32, 128, 512])
    eval_batch: int | Literal["auto"] = option(512, "rows in a scoring step, or auto: the fastest that fits")
    lr: float = option(2e-3, "learning rate (of Adam, unless the model has another optimiser)", gt=0, le=1)
    decay: float = option(0.1, "factor on the learning rate at each of decay_at", gt=0, tune=False)
    decay_at: tuple[int, ...] = option((), "passes after which the learning rate decays, such as 300,350")
    warm_up: int = option(
        0, "passes before the learning rate is whole: it doubles after each, as logdeep's 5 do", ge=0
    )
    clip: float | None = option(None, "largest norm of the gradient; none: any", gt=0)
    stop: Literal["steps", "passes", "validation"] = option("steps", "what ends training", tune=False)
    steps: int = option(100, "optimiser steps, for stop=steps", ge=1)
    passes: int = option(
        20, "passes over the training rows, for stop=passes; at most so many otherwise", ge=1, tune=False
    )
    patience: int = option(10, "passes without a lower validation loss, for stop=validation", ge=1, tune=False)
    amp: Amp = option("auto", "mixed precision in training; auto: on CUDA only", tune=False)
    eval_amp: Amp = option("off", "mixed precision in scoring; the record says what it changes", tune=False)
    compile: bool = option(False, "torch.compile the network", tune=False)


@dataclass(frozen=True)
class KeysConfig:
    """How many keys a network tells apart, whose layers have a column or a row a key; for models of whole units.

    `NextKeyConfig` has the option, too.

    Example:

        @dataclass(frozen=True)
        class MyConfig(ReconstructionConfig, KeysConfig):
            hidden: int = option(8, "units of the narrowest layer", ge=1)
    """

    max_keys: int = option(
        10_000, "known keys that a network tells apart; beyond, the rarest of training share one", ge=2, tune=False
    )


@dataclass(frozen=True)
class _RowConfig(TrainingConfig):
    """How a model of whole units trains unless told otherwise: in passes, and slower than one of windows."""

    lr: float = option(1e-3, "learning rate (of Adam, unless the model has another optimiser)", gt=0, le=1)
    stop: Literal["steps", "passes", "validation"] = option("passes", "what ends training", tune=False)
    steps: int = option(100, "optimiser steps, for stop=steps", ge=1, tune=False)
    passes: int = option(20, "passes over the training rows, for stop=passes; at most so many otherwise", ge=1)


@dataclass(frozen=True)
class ReconstructionConfig(_RowConfig):
    """Options of a model that `Reconstruction` trains; a model's own class adds those of its network.

    Example:

        @dataclass(frozen=True)
        class MyConfig(ReconstructionConfig):
            hidden: int = option(8, "units of the narrowest layer", ge=1)
    """


@dataclass(frozen=True)
class ClassifierConfig(_RowConfig):
    """Options of a model that `Classifier` trains; a model's own class adds those of its network.

    Example:

        @dataclass(frozen=True)
        class MyConfig(ClassifierConfig):
            hidden: int = option(64, "units of each layer", ge=1)
    """

    balanced: bool = option(False, "the loss counts both classes alike, however many units each has")
    anomaly_weight: float | None = option(
        None, "what an anomaly counts as in the loss, a normal unit as 1; none: 1, or as balanced says", gt=0
    )
    oversample: float | None = option(
        None, "share of the rarer class after its training units are repeated; none: as they are", gt=0, le=0.5
    )


@dataclass(frozen=True)
class _SequenceConfig:
    """What a model of padded sequences looks at. A class of its own so that these options are listed first."""

    length: int = option(
        50, "events of a unit that the network sees; the others of a longer one it does not", ge=1, le=20_000
    )
    keep: Literal["first", "last"] = option("first", "which events of a longer unit the network sees")


@dataclass(frozen=True)
class SequenceConfig(ClassifierConfig, _SequenceConfig):
    """Options of a model that `SequenceClassifier` trains; a model's own class adds those of its network.

    Example:

        @dataclass(frozen=True)
        class MyConfig(SequenceConfig):
            hidden: int = option(64, "units of each layer", ge=1)
    """


@dataclass(frozen=True)
class _WindowConfig:
    """What a next-key model looks at. A class of its own so that these options are listed first."""

    h: int = option(10, "keys of history before the key to guess", ge=1, tune=(2, 10))
    pad: bool = option(
        False,
        "start keys stand in for what lacks before the first h keys of a unit, so that these are judged, too",
        tune=False,
    )
    g: int = option(9, "a key is normal where fewer than this many keys are likelier", ge=1, late=True)
    dedup: bool = option(True, "train on and score distinct windows once; false: brute force", tune=False)
    sampling: Literal["windows", "distinct"] = option(
        "windows",
        "a pass deals out all windows (equal ones merged in a batch), or each distinct one once, weighted",
        tune=False,
    )


@dataclass(frozen=True)
class NextKeyConfig(TrainingConfig, KeysConfig, _WindowConfig):
    """Options of a model that guesses the next key; a model's own class adds those of its network.

    Training ends after a fixed number of optimiser steps, for a reason: on real HDFS logs the validation loss
    keeps falling for hundreds of passes while detection at a fixed `g` gets worse, since a network that
    predicts better also predicts what follows in anomalous sessions. `steps` was chosen for DeepLog, without
    labels: it is where the validation loss (.69–.79 over five splits of the DeepLog archive) is that of the
    shortest published training known to work (20 passes in batches of 512 distinct windows: .68–.87).

    Example:

        @dataclass(frozen=True)
        class MyConfig(NextKeyConfig):
            hidden: int = option(64, "units of each layer", ge=1)
    """


def next_key_traits(needs: frozenset[Need] = frozenset(), wants: frozenset[Need] = frozenset()) -> ModelTraits:
    """What the harness must know of any `NextKeyModel`, by its options h, pad, g and dedup.

    Without torch, so that a plugin can list the model; the class has them as its `traits`.

    Args:
        needs: what sessions must carry beside their keys, as `vectors` for `key_vectors`.
        wants: what they carry where the data have it.

    Example:

        ModelComponent("mine", build, MyConfig, "guesses the next key", next_key_traits(), requires=("torch",))
    """
    return ModelTraits(
        needs=needs,
        wants=wants,
        min_events=lambda config: 1 if config.pad else config.h + 1,
        keys_only=lambda config: config.dedup,
        scores_without_unseen=True,
        fixed_threshold=lambda config: float(config.g),
    )


def classifier_traits(needs: frozenset[Need] = frozenset(), *, keys_only: bool = True) -> ModelTraits:
    """What the harness must know of any `Classifier`; without torch, so that a plugin can list the model.

    Args:
        needs: what sessions must carry beside their keys, such as vectors.
        keys_only: False where rows look at times or texts, too; then the class says so as well.

    Example:

        ModelComponent("mine", build, MyConfig, "learns from labels", classifier_traits(), requires=("torch",))
    """
    return ModelTraits(
        supervision="supervised",
        needs=needs,
        keys_only=keys_only,
        scores_without_unseen=True,
        fixed_threshold=0.5,
    )


def reconstruction_traits(needs: frozenset[Need] = frozenset(), *, keys_only: bool = True) -> ModelTraits:
    """What the harness must know of any `Reconstruction`; without torch, so that a plugin can list the model.

    Args:
        needs, keys_only: see `classifier_traits`.

    Example:

        ModelComponent("mine", build, MyConfig, "gives back counts", reconstruction_traits(), requires=("torch",))
    """
    return ModelTraits(needs=needs, keys_only=keys_only, scores_without_unseen=True)
