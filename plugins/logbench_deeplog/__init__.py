"""DeepLog (Du et al., CCS 2017, section 3.1): a recurrent network guesses the next log key.

A unit is anomalous where a key comes that is not among the `g` keys most expected after its `h` predecessors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from logbench import ModelComponent, ModelTraits, hookimpl, option

if TYPE_CHECKING:
    from collections.abc import Iterable

    import click

    from .model import DeepLog

Amp = Literal["auto", "off", "bf16", "fp16"]


@dataclass(frozen=True)
class DeepLogConfig:
    """Options of `deeplog`.

    Training ends after a fixed number of optimiser steps, for a reason: on real HDFS logs the validation loss
    keeps falling for hundreds of passes while detection at a fixed `g` gets worse, since a network that
    predicts better also predicts what follows in anomalous sessions. `steps` was chosen without labels: it
    is where the validation loss (.69–.79 over five splits of the DeepLog archive) is that of the shortest
    published training known to work (20 passes in batches of 512 distinct windows: .68–.87).
    """

    h: int = option(10, "keys of history before the key to guess", ge=1)
    pad: bool = option(
        False,
        "start keys stand in for what lacks before the first h keys of a unit, so that these are judged, too",
    )
    g: int = option(9, "a key is normal where fewer than this many keys are likelier", ge=1, late=True)
    layers: int = option(2, "LSTM layers", ge=1)
    hidden: int = option(64, "units of each layer", ge=1)
    input: Literal["one-hot", "embedding", "scalar"] = option("one-hot", "how a key enters the network")
    embedding: int = option(64, "width of the embedding, for input=embedding", ge=1)
    batch: int = option(128, "windows in a training step", ge=1)
    eval_batch: int | Literal["auto"] = option(512, "windows in a scoring step, or auto: the fastest that fits")
    lr: float = option(2e-3, "Adam's learning rate", gt=0, le=1)
    decay: float = option(0.1, "factor on the learning rate at each of decay_at", gt=0)
    decay_at: tuple[int, ...] = option((), "passes after which the learning rate decays, such as 300,350")
    stop: Literal["steps", "passes", "validation"] = option("steps", "what ends training")
    steps: int = option(100, "optimiser steps, for stop=steps", ge=1)
    passes: int = option(20, "passes over the training windows, for stop=passes; at most so many otherwise", ge=1)
    patience: int = option(10, "passes without a lower validation loss, for stop=validation", ge=1)
    dedup: bool = option(True, "train on and score distinct windows once; false: brute force")
    sampling: Literal["windows", "distinct"] = option(
        "windows",
        "a pass deals out all windows (equal ones merged in a batch), or each distinct one once, weighted",
    )
    amp: Amp = option("auto", "mixed precision in training; auto: on CUDA only")
    eval_amp: Amp = option("off", "mixed precision in scoring; changed verdicts are counted")
    compile: bool = option(False, "torch.compile the network")


def _build(config: DeepLogConfig) -> DeepLog:
    from .model import DeepLog

    return DeepLog(config)


@hookimpl
def logbench_models() -> Iterable[ModelComponent[DeepLog]]:
    yield ModelComponent(
        "deeplog",
        _build,
        config=DeepLogConfig,
        summary="LSTM that guesses the next key; score = worst rank of a key that came (Du et al., CCS 2017)",
        traits=ModelTraits(
            supervision="semi-supervised",
            min_events=lambda config: 1 if config.pad else config.h + 1,
            keys_only=lambda config: config.dedup,
            scores_without_unseen=True,
            fixed_threshold=lambda config: float(config.g),
        ),
    )


@hookimpl
def logbench_commands() -> Iterable[click.Command]:
    from .ladder.command import command

    yield command
