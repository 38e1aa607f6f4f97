"""The network of DeepLog (Du et al., CCS 2017, section 3.1).

Shapes in comments: B rows, h keys of history, K known keys, I inputs, H hidden units.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from logbench.torch import SharedForward, SharedPrefixLSTM, looks_up, many, states_of_columns

if TYPE_CHECKING:
    from .options import DeepLogConfig


class Network(nn.Module):
    """Keys 0 … K − 1 are known; in a history only, K stands for any other and, with pad, K + 1 for the start.

    A key enters as one of
    - `one-hot`: a column a known key; an unknown key is all zeros, as its own column would never train;
    - `embedding`: a row a known key; an unknown key is the zero vector, fixed, for the same reason;
    - `scalar`: the key's number itself as one float (the common public implementations); unknown: K.
    With pad the start of a unit has a column or a row of its own, or the number −1. It is never guessed.
    """

    def __init__(self, keys: int, config: DeepLogConfig) -> None:
        super().__init__()
        self.keys, self.pad = keys, config.pad
        self.input = "scalar" if config.variant == "logdeep" else config.input
        self.codes = keys + (2 if config.pad else 1)
        width = {"one-hot": self.codes - 1, "embedding": config.embedding, "scalar": 1}[self.input]
        if self.input == "embedding":
            self.embedding = nn.Embedding(self.codes, width, padding_idx=keys)
        self.lstm = nn.LSTM(width, config.hidden, config.layers, batch_first=True)
        self.output = nn.Linear(config.hidden, keys)

    def columns(self, keys: Tensor) -> Tensor:
        """Column of each key's one-hot vector, int64 [...]; −1 for an unknown key, which has none."""
        return torch.where(keys < self.keys, keys, torch.where(keys == self.keys, -1, keys - 1))

    def encode(self, keys: Tensor) -> Tensor:
        """Keys int64 [...] as the first layer's inputs, float [..., I]."""
        if self.input == "embedding":
            codes: Tensor = self.embedding(keys)
            return codes
        dtype = self.output.weight.dtype
        if self.input == "scalar":
            return torch.where(keys > self.keys, -1, keys).unsqueeze(-1).to(dtype)
        hot = F.one_hot(keys, self.codes)
        known = hot[..., : self.keys]
        return (torch.cat([known, hot[..., self.keys + 1 :]], -1) if self.pad else known).to(dtype)

    def forward(self, histories: Tensor) -> Tensor:
        """Logits float [B, K] of the key that follows histories int64 [B, h]."""
        if self.input == "one-hot" and looks_up(self.lstm, self.keys):
            states = states_of_columns(self.lstm, self.columns(histories))  # [B, h, H]
        else:
            states, _ = self.lstm(self.encode(histories))
        answer: Tensor = self.output(states[:, -1])  # [B, K]
        return answer

    def shared_prefix(self) -> SharedForward:
        """The same logits with every distinct prefix computed once, by the present weights."""
        codes = torch.arange(self.codes, device=self.output.weight.device)
        inputs = self.columns(codes) if self.input == "one-hot" and many(self.keys) else self.encode(codes)
        return SharedPrefixLSTM(self.lstm, self.output, inputs)
