"""The LSTM of deep-loglizer (Chen et al., 2021, arXiv 2107.05908): keys embedded, read in both directions.

Shapes in comments: B rows, h keys of history, H hidden units of both directions together.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from logbench.torch import NextKeyModel

from .options import LstmNextConfig


class Places(nn.Module):
    """Sums the steps of a history, each weighted by a function of its own place.

    There is no softmax, as in the published code: the weights of a history need not sum to 1.
    """

    def __init__(self, h: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(h, width, 1) / width**0.5)
        self.bias = nn.Parameter(torch.zeros(h, 1, 1))

    def forward(self, states: Tensor) -> Tensor:
        """Sum float [B, H] of states float [B, h, H]."""
        weights = torch.tanh((states.unsqueeze(2) @ self.weight + self.bias).squeeze(2))  # [B, h, 1]
        return (states * weights).sum(1)


class Network(nn.Module):
    """The last step's states guess; with attention a weighted sum of all steps.

    An unknown key is the zero vector, fixed, as it would never train.
    """

    def __init__(self, keys: int, guesses: int, config: LstmNextConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(keys + 2, config.embedding, padding_idx=keys)
        self.lstm = nn.LSTM(config.embedding, config.hidden, config.layers, batch_first=True, bidirectional=True)
        self.places = Places(config.h, 2 * config.hidden) if config.attention else None
        self.output = nn.Linear(2 * config.hidden, guesses)

    def forward(self, histories: Tensor) -> Tensor:
        """Logits float [B, guesses] of the key that follows histories int64 [B, h]."""
        states, _ = self.lstm(self.embedding(histories))  # [B, h, H]
        summary = states[:, -1] if self.places is None else self.places(states)
        guess: Tensor = self.output(summary)
        return guess


class LstmNext(NextKeyModel[LstmNextConfig]):
    """Scores a unit by the worst rank of a key that came: it alarms where that exceeds `g`."""

    name = "lstm-next"
    fixed = ("embedding", "hidden", "layers", "attention")

    def build(self, keys: int) -> Network:
        return Network(keys, keys, self.config)
