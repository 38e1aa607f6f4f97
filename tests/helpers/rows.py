"""Labelled units that can be learnt, and small models of whole units."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from logbench import Sessions, option
from logbench.torch import (
    Classifier,
    Reconstruction,
    ReconstructionConfig,
    SequenceClassifier,
    SequenceConfig,
    count_rows,
)

KEYS = 5


@dataclass(frozen=True)
class BagConfig(SequenceConfig):
    """The options of every classifier of sequences, and one more."""

    width: int = option(1, "logits", ge=1, le=2)


class Bag(nn.Module):
    """Sum of a weight for each key of a row; what fills up a row weighs nothing."""

    def __init__(self, keys: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Embedding(keys + 2, width, padding_idx=keys + 1)
        self.bias = nn.Parameter(torch.zeros(width))
        nn.init.zeros_(self.weight.weight)

    def forward(self, keys: Tensor) -> Tensor:
        answer: Tensor = self.weight(keys).sum(1) + self.bias
        return answer


class BagModel(SequenceClassifier[BagConfig]):
    """Logistic regression on counts of keys, written as a network of sequences."""

    name, fixed = "bag", ("width",)

    def build(self, keys: int) -> Bag:
        return Bag(keys, self.config.width)


class CountModel(Classifier[BagConfig]):
    """The same on rows of counts."""

    name = "counts"

    def rows(self, sessions: Sessions) -> Any:
        return count_rows(sessions)

    def build(self, keys: int) -> nn.Linear:
        return nn.Linear(keys + 1, 1)


class Recurrent(nn.Module):
    """The state of an LSTM after the last event of a row."""

    def __init__(self, keys: int, hidden: int = 8) -> None:
        super().__init__()
        self.keys = keys
        self.embed = nn.Embedding(keys + 2, hidden, padding_idx=keys + 1)
        self.lstm, self.output = nn.LSTM(hidden, hidden, batch_first=True), nn.Linear(hidden, 1)

    def forward(self, keys: Tensor) -> Tensor:
        states, _ = self.lstm(self.embed(keys))
        last = (keys <= self.keys).sum(1) - 1
        answer: Tensor = self.output(states[torch.arange(len(keys), device=keys.device), last])
        return answer


class RecurrentModel(SequenceClassifier[BagConfig]):
    """A network whose answer depends on the order of events."""

    name = "recurrent"

    def build(self, keys: int) -> Recurrent:
        return Recurrent(keys)


class LinearAutoencoder(Reconstruction[ReconstructionConfig]):
    """A linear network with a narrow layer, which is what principal components are."""

    name = "linear"

    def build(self, keys: int) -> nn.Sequential:
        return nn.Sequential(nn.Linear(keys + 1, 2), nn.Linear(2, keys + 1))


def labelled(seed: int = 0, units: int = 120, unseen: bool = False) -> Sessions:
    """Units of up to 8 of `KEYS` keys, often equal; the more of key 0, the likelier an anomaly, never for sure."""
    rng = np.random.default_rng(seed)
    walks = [rng.integers(0, KEYS, rng.integers(1, 9)) for _ in range(units // 2)]
    walks = [walks[at] for at in rng.integers(0, len(walks), units)]
    zeros = np.array([(walk == 0).sum() for walk in walks])
    labels = (rng.random(units) < 1 / (1 + np.exp(1.5 - zeros))).astype(np.int8)
    if unseen:
        walks = [np.where(rng.random(len(walk)) < 0.2, KEYS + rng.integers(0, 3), walk) for walk in walks]
    return Sessions.of([walk.tolist() for walk in walks], KEYS, labels=labels)


def counted(sessions: Sessions) -> np.ndarray[Any, Any]:
    """How often each unit has each key, in a plain loop; float64 [units, KEYS + 1]."""
    rows = np.zeros((len(sessions), KEYS + 1))
    for unit, (begin, end) in enumerate(zip(sessions.offsets[:-1], sessions.offsets[1:], strict=True)):
        for key in sessions.keys[begin:end]:
            rows[unit, min(int(key), KEYS)] += 1
    return rows


def descent(rate: float) -> Any:
    """For `RowModel.optimiser`: plain gradient descent."""

    def optimiser(network: nn.Module, steps: int) -> Any:
        return torch.optim.SGD(network.parameters(), rate), None

    return optimiser


bag, recurrent = partial(BagConfig, length=8, batch=32), partial(BagConfig, length=8, batch=32, passes=3)
