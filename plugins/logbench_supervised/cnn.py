"""Convolutions over embedded keys (Lu et al., DASC 2018): patterns of a few events, wherever they stand.

Shapes in comments: B rows, L events, W columns of a key's vector, F filters.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from logbench import ConfigError
from logbench.torch import SequenceClassifier

from .options import CnnConfig


class Network(nn.Module):
    """The strongest answer of each filter anywhere in a unit decides. What fills it up is the zero vector."""

    def __init__(self, codes: int, fill: int, config: CnnConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(codes, config.embedding, padding_idx=fill)
        self.convs = nn.ModuleList(
            nn.Conv2d(1, config.filters, (height, config.embedding)) for height in config.heights
        )
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(config.filters * len(config.heights), 2)

    def forward(self, units: Tensor) -> Tensor:
        """Logits float [B, 2] of normal and anomalous units int64 [B, L]."""
        vectors = self.embedding(units).unsqueeze(1)  # [B, 1, L, W]
        found = [F.relu(conv(vectors)).squeeze(3).amax(2) for conv in self.convs]  # [B, F] each
        answer: Tensor = self.output(self.dropout(torch.cat(found, 1)))
        return answer


class Cnn(SequenceClassifier[CnnConfig]):
    """Scores a unit by the probability of an anomaly."""

    name = "cnn"
    fixed = ("heights", "filters", "embedding")

    def build(self, keys: int) -> Network:
        heights, length = self.config.heights, self.config.length
        if not heights or not all(1 <= height <= length for height in heights):
            raise ConfigError(
                f"cnn.heights = {heights}: needed is one height or more, each from 1 to length = {length}"
            )
        network = Network(keys + 2, keys + 1, self.config)
        with torch.no_grad():
            network.embedding.weight[keys] = (
                0  # no training unit has an unknown key: it must not move scores by chance
            )
        return network
